using System.Diagnostics;
using System.Globalization;

namespace Imapsync.Tests.Support;

/// <summary>A private PostgreSQL server for one test, started by the same example script that users can run.</summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private readonly string script;
    private Process? process;

    private PostgresServer(string directory, string script) => (Directory, this.script) = (directory, script);

    public string Directory { get; }

    /// <summary>The connection string for Npgsql, including the password.</summary>
    public string ConnectionString { get; private set; } = "";

    public int Port { get; private set; }

    public string Log => File.Exists(Path.Combine(Directory, "postgres.log")) ? File.ReadAllText(Path.Combine(Directory, "postgres.log")) : "";

    private string PidFile => Path.Combine(Directory, "data", "postmaster.pid");

    /// <param name="directory">An empty directory that other users can access, because the server runs as another user.</param>
    public static async Task<PostgresServer> StartAsync(string directory)
    {
        System.IO.Directory.CreateDirectory(directory);
        var server = new PostgresServer(directory, Path.Combine(RepositoryRoot(), "examples", "fleet", "postgres.sh"));
        await server.StartAsync();
        return server;
    }

    /// <summary>Ends the server by SIGQUIT (immediate shutdown). At the next start it recovers as after a power cut.</summary>
    public async Task KillAsync()
    {
        var postmaster = int.Parse(File.ReadLines(PidFile).First(), CultureInfo.InvariantCulture);
        await Command.SucceedsAsync("kill", ["-QUIT", $"{postmaster}"]);
        await process!.WaitForExitAsync();
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        process.Dispose();
        process = null;
    }

    public async Task StartAsync()
    {
        var (user, _) = await ServerAccount.EnsureAsync();
        for (var attempt = 1; ; attempt++)
        {
            if (Port == 0 || attempt > 1)
                Port = LoopbackPorts.Free();
            var start = new ProcessStartInfo("bash", [script, Directory, $"{Port}"]) { UseShellExecute = false, RedirectStandardOutput = true };
            start.Environment["RUN_AS"] = user;
            process = Process.Start(start)!;
            AppDomain.CurrentDomain.ProcessExit += OnExit;
            ConnectionString = await process.StandardOutput.ReadLineAsync() ?? "";
            if (ConnectionString.Length > 0 && await IsReadyAsync())
                return;
            await StopAsync();
            if (attempt == 3)
                throw new InvalidOperationException("PostgreSQL does not start:\n" + Log);
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    public static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "imapsync.sln")))
            directory = directory.Parent ?? throw new DirectoryNotFoundException("imapsync.sln is not above " + AppContext.BaseDirectory);
        return directory.FullName;
    }

    /// <summary>Returns whether the server accepts connections, which it records in postmaster.pid.</summary>
    private async Task<bool> IsReadyAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        while (!process!.HasExited)
        {
            try
            {
                if (File.Exists(PidFile) && File.ReadLines(PidFile).Any(l => l.StartsWith("ready", StringComparison.Ordinal)))
                    return true;
            }
            catch (IOException)
            {
                // The server is writing postmaster.pid at this moment.
            }

            await timer.WaitForNextTickAsync();
        }

        return false;
    }

    private async Task StopAsync()
    {
        if (process is null)
            return;
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        if (!process.HasExited)
        {
            await Command.SucceedsAsync("kill", ["-TERM", $"{process.Id}"]);
            await process.WaitForExitAsync();
        }

        process.Dispose();
        process = null;
    }

    private void OnExit(object? sender, EventArgs e) => process?.Kill(entireProcessTree: true);
}
