using System.Diagnostics;

namespace Imapsync.Tests.Support;

/// <summary>
/// A Dovecot of the test's own on free loopback ports: STARTTLS (and clear text) on <see cref="Port"/>, TLS on <see cref="TlsPort"/>.
/// Any user name is let in with the one password. As root it runs under an unprivileged user made for it, else as the current user.
/// </summary>
public sealed class DovecotServer : IAsyncDisposable
{
    private Process? process;

    private DovecotServer(string directory)
    {
        Directory = directory;
        Authority = TestAuthority.Create(directory);
    }

    public string Directory { get; }

    public TestAuthority Authority { get; }

    public DovecotOptions Options { get; private set; } = new();

    public int Port { get; private set; }

    public int TlsPort { get; private set; }

    /// <summary>STLS, and clear text; where <see cref="DovecotOptions.Pop3"/> asks for it.</summary>
    public int Pop3Port { get; private set; }

    public int Pop3TlsPort { get; private set; }

    public string Password => Options.Password;

    public string ConfigurationFile => Path.Combine(Directory, "dovecot.conf");

    public string LogFile => Path.Combine(Directory, "dovecot.log");

    public string Log => File.Exists(LogFile) ? File.ReadAllText(LogFile) : "";

    /// <param name="directory">An empty directory that outlives the server, reachable by other users.</param>
    public static async Task<DovecotServer> StartAsync(string directory, DovecotOptions? options = null)
    {
        System.IO.Directory.CreateDirectory(directory);
        foreach (var name in (string[])["mail", "home", "state", "run"])
            System.IO.Directory.CreateDirectory(Path.Combine(directory, name));
        var server = new DovecotServer(directory);
        await server.StartAsync(options ?? new DovecotOptions());
        return server;
    }

    /// <summary>Where a user's Maildir lies; there before the user's first log-in if a test puts it there.</summary>
    public string MaildirOf(string user) => Options.Maildir ?? Path.Combine(Directory, "mail", user);

    /// <summary>Stops, lets the test change files under the server's feet, and starts again on the same ports.</summary>
    public async Task RestartAsync(Action? meanwhile = null, DovecotOptions? options = null)
    {
        await StopAsync();
        meanwhile?.Invoke();
        await StartAsync(options ?? Options);
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    /// <summary>Gives files that the test wrote to the user the server runs under. Needed by root alone.</summary>
    public Task TakeOwnershipAsync(string path) => ServerAccount.TakeOwnershipAsync(path);

    private async Task StartAsync(DovecotOptions options)
    {
        Options = options;
        var (user, group) = await ServerAccount.EnsureAsync();
        foreach (var name in (string[])["mail", "home"])
            await TakeOwnershipAsync(Path.Combine(Directory, name));
        for (var attempt = 1; ; attempt++)
        {
            if (Port == 0 || attempt > 1)
                (Port, TlsPort) = LoopbackPorts.TakeTwo();
            if (options.Pop3 && (Pop3Port == 0 || attempt > 1))
                (Pop3Port, Pop3TlsPort) = LoopbackPorts.TakeTwo();
            var file = ConfigurationFile;
            await File.WriteAllTextAsync(file, DovecotConfiguration.Text(this, options, user, group));
            process = Process.Start(new ProcessStartInfo(Command.Find("dovecot"), ["-F", "-c", file])
            {
                UseShellExecute = false,
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            })!;
            AppDomain.CurrentDomain.ProcessExit += OnExit;
            if (await LoopbackPorts.GreetsAsync(Port, process))
                return;
            await StopAsync();
            // Somebody took a port between the look and the start: rare, and worth two more tries.
            if (attempt == 3)
                throw new InvalidOperationException("Dovecot does not start:\n" + Log);
        }
    }

    private async Task StopAsync()
    {
        if (process is null)
            return;
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        if (!process.HasExited)
        {
            // The master ends its children on SIGTERM; what it leaves goes with the whole tree.
            await Command.SucceedsAsync("kill", ["-TERM", $"{process.Id}"]);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            try
            {
                await process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync(CancellationToken.None);
            }
        }

        process.Dispose();
        process = null;
    }

    private void OnExit(object? sender, EventArgs e) => process?.Kill(entireProcessTree: true);
}
