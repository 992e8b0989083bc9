using System.Diagnostics;

namespace Imapsync.Tests.Support;

/// <summary>
/// A private Dovecot on loopback ports: STARTTLS and clear text on <see cref="Port"/>, TLS on <see cref="TlsPort"/>. It accepts any user
/// with <see cref="Password"/>. Under root it runs as an unprivileged user created for it.
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

    /// <summary>The port for POP3 with STLS or in clear text; open if <see cref="DovecotOptions.Pop3"/> is set.</summary>
    public int Pop3Port { get; private set; }

    public int Pop3TlsPort { get; private set; }

    public string Password => Options.Password;

    public string ConfigurationFile => Path.Combine(Directory, "dovecot.conf");

    public string LogFile => Path.Combine(Directory, "dovecot.log");

    public string Log => File.Exists(LogFile) ? File.ReadAllText(LogFile) : "";

    /// <param name="directory">An empty directory that outlives the server and is accessible to other users.</param>
    public static async Task<DovecotServer> StartAsync(string directory, DovecotOptions? options = null)
    {
        System.IO.Directory.CreateDirectory(directory);
        foreach (var name in (string[])["mail", "home", "state", "run"])
            System.IO.Directory.CreateDirectory(Path.Combine(directory, name));
        var server = new DovecotServer(directory);
        await server.StartAsync(options ?? new DovecotOptions());
        return server;
    }

    /// <summary>Returns the path of a user's Maildir. Dovecot creates the Maildir at the user's first log-in.</summary>
    public string MaildirOf(string user) => Options.Maildir ?? Path.Combine(Directory, "mail", user);

    /// <summary>Stops the server, calls <paramref name="meanwhile"/>, and starts the server again on the same ports.</summary>
    public async Task RestartAsync(Action? meanwhile = null, DovecotOptions? options = null)
    {
        await StopAsync();
        meanwhile?.Invoke();
        await StartAsync(options ?? Options);
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    /// <summary>Gives files written by the test to the user that the server runs as. Only needed when running as root.</summary>
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
            // Another process may have taken a port since it was found to be free. That is rare, so try up to three times.
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
            // The master ends its children on SIGTERM. If it does not end in time, the whole process tree is killed.
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
