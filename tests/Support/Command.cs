using System.Diagnostics;

namespace Imapsync.Tests.Support;

/// <summary>Runs a small system program to completion.</summary>
public static class Command
{
    /// <summary>Returns the program's standard output, trimmed. Throws with its error output if the program fails.</summary>
    public static async Task<string> RunAsync(string name, IEnumerable<string> arguments)
    {
        var (status, output, error) = await ExecuteAsync(name, arguments);
        return status == 0 ? output.Trim() : throw new InvalidOperationException($"{name} ended with {status}: {error}");
    }

    public static async Task<bool> SucceedsAsync(string name, IEnumerable<string> arguments) =>
        (await ExecuteAsync(name, arguments)).Status == 0;

    /// <summary>
    /// Finds a program, also in Debian's directories for servers and administrators' tools, which are not in a user's PATH.
    /// </summary>
    public static string Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin:/sbin:/usr/local/sbin").Split(':')
        .Where(d => d.Length > 0).Select(d => Path.Combine(d, name)).FirstOrDefault(File.Exists)
        ?? throw new FileNotFoundException($"{name} is not installed; tests/run.sh says what the tests need");

    private static async Task<(int Status, string Output, string Error)> ExecuteAsync(string name, IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Find(name), arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}
