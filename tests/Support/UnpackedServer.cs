using System.Diagnostics;

namespace Imapsync.Tests.Support;

/// <summary>
/// A server whose packages tests/fetch-servers.sh unpacks without installing them. It serves the accounts alice and bob in clear text on a
/// loopback port.
/// </summary>
public abstract class UnpackedServer(string name, string directory) : IAsyncDisposable
{
    public const string Password = "pass-word";

    public static readonly string[] Users = ["alice", "bob"];

    private static readonly string Servers = Environment.GetEnvironmentVariable("IMAPSYNC_TEST_SERVERS") ?? "/opt/imapsync-test-servers";

    private Process? process;

    public int Port { get; private set; }

    public int Pop3Port { get; private set; }

    protected string Root { get; } = Path.Combine(Servers, name);

    protected string Directory { get; } = directory;

    protected static string LibraryDirectory => "usr/lib/" + System.Runtime.InteropServices.RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.Arm64 => "aarch64-linux-gnu",
        _ => "x86_64-linux-gnu",
    };

    /// <summary>Why the server can't be started on this machine, for display; null if it can.</summary>
    public static async Task<string?> WhyNotAsync(string name)
    {
        if (!Environment.IsPrivilegedProcess)
            return $"{name} is not tested: it needs root, its paths and its user are compiled in";
        // An empty file .complete was left by an older version of the script. The packages must be unpacked again then.
        if (!File.Exists(Path.Combine(Servers, name, ".complete")) || new FileInfo(Path.Combine(Servers, name, ".complete")).Length == 0)
            return $"{name} is not tested: its packages are not in {Servers}, where tests/fetch-servers.sh unpacks them on Debian 12";
        if (name == "courier" && !await Command.SucceedsAsync("unshare", ["--mount", "--pid", "--fork", "true"]))
            return "courier is not tested: this machine lets nobody have a mount namespace";
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// Writes the configuration for <see cref="Port"/> (IMAP) and <see cref="Pop3Port"/>. Returns how to start the server.
    /// </summary>
    protected abstract Task<ProcessStartInfo> PrepareAsync();

    protected async Task StartAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            (Port, Pop3Port) = LoopbackPorts.TakeTwo();
            var start = await PrepareAsync();
            start.UseShellExecute = false;
            start.RedirectStandardOutput = start.RedirectStandardError = true;
            process = Process.Start(start)!;
            AppDomain.CurrentDomain.ProcessExit += OnExit;
            _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
            var errors = process.StandardError.ReadToEndAsync();
            if (await LoopbackPorts.GreetsAsync(Port, process) && await LoopbackPorts.GreetsAsync(Pop3Port, process))
                return;
            await StopAsync();
            // Another process may have taken the port since it was found to be free. That is rare, so try up to three times.
            if (attempt == 3)
                throw new InvalidOperationException($"{name} does not start:\n{await errors}");
        }
    }

    private async Task StopAsync()
    {
        if (process is null)
            return;
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        process = null;
    }

    private void OnExit(object? sender, EventArgs e) => process?.Kill(entireProcessTree: true);
}
