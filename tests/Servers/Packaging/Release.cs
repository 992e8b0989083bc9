using System.Diagnostics;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Packaging;

/// <summary>The packages that packaging/all.sh builds of the program under test, built once for all tests.</summary>
public sealed class Release : IAsyncLifetime
{
    /// <summary>The content of a job file that exists in the release directory before the packages are built.</summary>
    public const string JobFile = "jobs: []\n";

    private readonly TempDir dir = new();

    public static string Root { get; } = FindRoot();

    public string Directory => dir["release"];

    public string Deb => Single("*.deb");

    public string Tarball => Single("*.tar.gz");

    /// <summary>The program in the packages: the published native program, or else a script that starts the built one.</summary>
    public string Program { get; private set; } = "";

    /// <summary>Whether the tests use the published native program.</summary>
    public static bool IsNative => Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_PROGRAM") is { Length: > 0 };

    public async ValueTask InitializeAsync()
    {
        Program = Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_PROGRAM") is { Length: > 0 } native ? native
            : dir.WriteProgram("imapsync", $"exec dotnet {Path.Combine(AppContext.BaseDirectory, "imapsync.dll")} \"$@\"");
        // A job file already exists in the release directory, and the script must not change it.
        dir.Create("release");
        dir.Write("release/imapsync.yaml", JobFile);
        await RunAsync(Path.Combine(Root, "packaging/all.sh"), "--here", Directory, Program);
    }

    public ValueTask DisposeAsync()
    {
        dir.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Runs a program and returns its output and error output. Throws an exception with both if it fails.</summary>
    public static async Task<(string Output, string Error)> RunAsync(string program, params string[] arguments)
    {
        var (status, output, error) = await TryAsync(program, [], arguments);
        Assert.True(status == 0, $"{program} {string.Join(' ', arguments)} ended with {status}:\n{output}\n{error}");
        return (output, error);
    }

    public static async Task<(int Status, string Output, string Error)> TryAsync(string program, Dictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false, WorkingDirectory = Path.GetTempPath() };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output, await error);
    }

    private string Single(string pattern) => Assert.Single(System.IO.Directory.GetFiles(Directory, pattern));

    private static string FindRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "imapsync.sln")))
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("the repository's root is not above the tests");
        return directory;
    }
}
