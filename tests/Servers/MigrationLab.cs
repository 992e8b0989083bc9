using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>
/// A job from one IMAP account to another, in clear text through proxies that a test watches and breaks. <see cref="BackupLab.Line"/> of
/// <see cref="Job"/> is the source's proxy, <see cref="TargetLine"/> the target's.
/// </summary>
public sealed class MigrationLab : IAsyncDisposable
{
    public const string TargetPasswordVariable = "TARGET_PASSWORD";

    private readonly IAsyncDisposable? server;

    /// <param name="server">The server and job to dispose with the lab; null if the caller owns both.</param>
    private MigrationLab(BackupLab job, int port, string password, IAsyncDisposable? server)
    {
        Job = job;
        TargetLine = FaultProxy.Start(port);
        Password = password;
        this.server = server;
        Job.Environment[TargetPasswordVariable] = password;
        User = "bob";
    }

    public BackupLab Job { get; }

    public FaultProxy TargetLine { get; }

    public string Password { get; }

    /// <summary>The account at the target. For a new, empty account, also set another <see cref="BackupLab.StateName"/>.</summary>
    public string User
    {
        get;
        set
        {
            field = value;
            Job.Target = TargetEndpoint;
        }
    }

    /// <summary>The target Dovecot. It exists only if the lab owns it.</summary>
    public DovecotServer Server => (DovecotServer)server!;

    /// <summary>The YAML lines of the target.</summary>
    public string TargetEndpoint =>
        $"imap://{User}@127.0.0.1:{TargetLine.Port}\n      tls: none\n      password_env: {TargetPasswordVariable}";

    public static async Task<MigrationLab> StartAsync(MailboxPlan plan, DovecotOptions? target = null) =>
        await WithDovecotAsync(await BackupLab.StartAsync(plan), target);

    public static async Task<MigrationLab> StartAsync(Action<MaildirWriter> fill, DovecotOptions? target = null) =>
        await WithDovecotAsync(await BackupLab.StartAsync(fill), target);

    /// <summary>Creates a lab with a private Dovecot as the job's target.</summary>
    public static async Task<MigrationLab> WithDovecotAsync(BackupLab job, DovecotOptions? options = null)
    {
        var target = await DovecotServer.StartAsync(job.Dir["target-server"], options ?? new DovecotOptions());
        return new MigrationLab(job, target.Port, target.Password, target);
    }

    /// <summary>Creates a lab with another server as target; the caller owns the server and the job.</summary>
    public static MigrationLab To(BackupLab job, int port, string user, string password) =>
        new(job, port, password, server: null) { User = user };

    public Task<RunOutcome> RunAsync(params string[] options) => Job.RunAsync(options);

    public Task<RunOutcome> SucceedAsync(params string[] options) => Job.SucceedAsync(options);

    public Task<ImapProbe> ConnectAsync() => ImapProbe.ConnectAsync(Server.Port, User, Password);

    public async Task<MailboxSnapshot> TargetAsync()
    {
        await using var probe = await ConnectAsync();
        return await probe.SnapshotAsync();
    }

    public async Task TargetEqualsSourceAsync(string because = "") =>
        BackupLab.Same(await Job.SourceAsync(), await TargetAsync(), because);

    /// <summary>The commands to both servers that open a folder, fetch from it or append to it.</summary>
    public IEnumerable<string> FoldersOpened => TargetLine.Commands.Concat(Job.Line.Commands).Where(c =>
        c.StartsWith("SELECT", StringComparison.OrdinalIgnoreCase) || c.StartsWith("EXAMINE", StringComparison.OrdinalIgnoreCase)
        || c.Contains("FETCH", StringComparison.OrdinalIgnoreCase) || c.StartsWith("APPEND", StringComparison.OrdinalIgnoreCase));

    public void Forget()
    {
        TargetLine.Forget();
        Job.Line.Forget();
    }

    public async ValueTask DisposeAsync()
    {
        await TargetLine.DisposeAsync();
        if (server is null)
            return;
        await server.DisposeAsync();
        await Job.DisposeAsync();
    }
}
