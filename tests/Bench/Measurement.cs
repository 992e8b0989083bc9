using System.Diagnostics;
using System.Globalization;
using Imapsync.Tests.Support;

namespace Imapsync.Bench;

/// <summary>The resources used by one run of one program.</summary>
/// <param name="CpuSeconds">User and system time of the program and its child processes; 0 for the benchmark's own client.</param>
/// <param name="PeakMiB">The largest resident set; 0 for the benchmark's own client.</param>
internal readonly record struct Measurement(double WallSeconds, double CpuSeconds = 0, double PeakMiB = 0)
{
    /// <summary>Runs a program to completion under GNU time, which measures the peak memory reliably.</summary>
    /// <exception cref="InvalidOperationException">The program failed, so there is no result.</exception>
    public static async Task<Measurement> OfProcessAsync(string directory, string program, params IEnumerable<string> arguments)
    {
        var usage = Path.Combine(directory, "usage-" + Path.GetRandomFileName());
        var start = new ProcessStartInfo(Command.Find("time"), ["-q", "-f", "%U %S %M", "-o", usage, program, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = directory,
        };
        start.Environment["HOME"] = directory;
        start.Environment.Remove("XDG_STATE_HOME");
        var begun = TimeProvider.System.GetTimestamp();
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        var wall = TimeProvider.System.GetElapsedTime(begun).TotalSeconds;
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {Tail(await output)}{Tail(await error)}");
        var fields = (await File.ReadAllTextAsync(usage)).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries)
            .Select(f => double.Parse(f, CultureInfo.InvariantCulture)).ToArray();
        File.Delete(usage);
        return new Measurement(wall, fields[0] + fields[1], fields[2] / 1024);
    }

    private static string Tail(string text) => text.Length <= 2000 ? text : text[^2000..];
}
