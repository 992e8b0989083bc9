using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>
/// An account on a real Dovecot and a job that backs it up. By default the job connects in clear text through the proxy <see cref="Line"/>,
/// with which a test watches and breaks the traffic. Set <see cref="Endpoint"/> to connect differently.
/// </summary>
public sealed class BackupLab : IAsyncDisposable
{
    public const string PasswordVariable = "LAB_PASSWORD";

    private readonly bool ownsServer;

    private BackupLab(TempDir dir, DovecotServer server, bool ownsServer)
    {
        Dir = dir;
        Server = server;
        this.ownsServer = ownsServer;
        Line = FaultProxy.Start(server.Port);
        Environment = new Dictionary<string, string> { [PasswordVariable] = server.Password };
        Endpoint = $"url: imap://alice@127.0.0.1:{Line.Port}\n      tls: none\n      password_env: {PasswordVariable}";
        Target = "maildir:" + TargetDirectory;
    }

    public TempDir Dir { get; }

    public DovecotServer Server { get; }

    public FaultProxy Line { get; }

    public Dictionary<string, string> Environment { get; }

    /// <summary>The YAML lines of the job's <c>source:</c> section.</summary>
    public string Endpoint { get; set; }

    public string Target { get; set; }

    /// <summary>A program with arguments that starts imapsync, such as <c>setpriv</c>; empty to start it directly.</summary>
    public string[] Through { get; set; } = [];

    /// <summary>Further YAML lines of the job, such as <c>deletions: mirror</c>.</summary>
    public string Rules { get; set; } = "";

    public string TargetDirectory => Dir["target"];

    /// <summary>The name of the state directory. With another name the job starts without the state of earlier runs.</summary>
    public string StateName { get; set; } = "state";

    public string StateDirectory => Dir[StateName];

    public string JobFile => Dir["job.yaml"];

    public string ReportFile => Dir["report.json"];

    /// <summary>Starts a server for one test alone, whose only mailbox <paramref name="fill"/> fills.</summary>
    public static async Task<BackupLab> StartAsync(Action<MaildirWriter> fill, DovecotOptions? options = null)
    {
        var dir = new TempDir();
        var mailbox = new MaildirWriter(dir.Create("source"));
        mailbox.AddFolder("INBOX");
        fill(mailbox);
        var server = await DovecotServer.StartAsync(dir["server"], (options ?? new DovecotOptions()) with { Maildir = dir["source"] });
        await server.TakeOwnershipAsync(dir["source"]);
        return new BackupLab(dir, server, ownsServer: true);
    }

    /// <summary>Starts a server with a mailbox of ordinary messages: twelve folders, flags, keywords, subscriptions.</summary>
    public static async Task<BackupLab> StartAsync(MailboxPlan plan, DovecotOptions? options = null)
    {
        var dir = new TempDir();
        MailGenerator.Fill(dir["source"], plan);
        var server = await DovecotServer.StartAsync(dir["server"], (options ?? new DovecotOptions()) with { Maildir = dir["source"] });
        await server.TakeOwnershipAsync(dir["source"]);
        return new BackupLab(dir, server, ownsServer: true);
    }

    /// <summary>Creates a job on a server that other tests use too. The test must not change that server's mail.</summary>
    public static BackupLab On(DovecotServer server) => new(new TempDir(), server, ownsServer: false);

    public Task<ImapProbe> ConnectAsync() => ImapProbe.ConnectAsync(Server, "alice");

    public async Task<MailboxSnapshot> SourceAsync()
    {
        await using var probe = await ConnectAsync();
        return await probe.SnapshotAsync();
    }

    public void WriteJob()
    {
        var text = new StringBuilder($"""
            jobs:
              - name: alice
                source:
                  {Endpoint}
                target:
                  url: {Target}
                state: {StateDirectory}

            """.ReplaceLineEndings("\n"));
        foreach (var line in Rules.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            text.Append("    ").Append(line).Append('\n');
        File.WriteAllText(JobFile, text.ToString());
    }

    public ImapsyncProcess Start(params string[] options)
    {
        WriteJob();
        File.Delete(ReportFile);
        return ImapsyncProcess.Start(Dir.Create("home"), ["run", JobFile, "--report", ReportFile, .. options], Environment, Through);
    }

    /// <summary>Runs the job once, to its end.</summary>
    public async Task<RunOutcome> RunAsync(params string[] options)
    {
        await using var process = Start(options);
        return RunOutcome.Read(await process.WaitAsync(), ReportFile);
    }

    /// <summary>Runs the job and asserts that it succeeds.</summary>
    public async Task<RunOutcome> SucceedAsync(params string[] options)
    {
        var outcome = await RunAsync(options);
        Assert.True(outcome.Status == 0, outcome.ToString());
        return outcome;
    }

    /// <summary>Runs <c>imapsync verify</c> for the job.</summary>
    public Task<ImapsyncResult> VerifyAsync(params string[] options) => LookAsync("verify", options);

    /// <summary>Runs <c>imapsync check</c> for the job.</summary>
    public Task<ImapsyncResult> CheckAsync(params string[] options) => LookAsync("check", options);

    private async Task<ImapsyncResult> LookAsync(string command, string[] options)
    {
        WriteJob();
        await using var process = ImapsyncProcess.Start(Dir.Create("home"), [command, JobFile, .. options], Environment);
        return await process.WaitAsync();
    }

    /// <summary>Serves a Maildir with a second Dovecot and reads it back over IMAP.</summary>
    public async Task<MailboxSnapshot> ServeAsync(string maildir)
    {
        // Serve a copy: Dovecot writes index files of its own beside the mail.
        var copy = Dir["served-" + Path.GetRandomFileName()];
        await Command.RunAsync("cp", ["-a", maildir, copy]);
        await using var server = await DovecotServer.StartAsync(Dir["second-" + Path.GetRandomFileName()], new DovecotOptions { Maildir = copy });
        await server.TakeOwnershipAsync(copy);
        await using var probe = await ImapProbe.ConnectAsync(server, "alice");
        return await probe.SnapshotAsync();
    }

    /// <summary>Asserts that the target Maildir has the same mail as the source shows over IMAP, and no temporary file.</summary>
    public async Task TargetEqualsSourceAsync(string because = "")
    {
        Same(await SourceAsync(), MaildirReader.Read(TargetDirectory), because);
        Assert.Empty(MaildirReader.TemporaryFiles(TargetDirectory));
    }

    public static void Same(MailboxSnapshot expected, MailboxSnapshot actual, string because = "")
    {
        var difference = actual.DifferenceFrom(expected);
        if (difference.Length > 0)
            Assert.Fail($"{because}\n{difference}");
    }

    public async ValueTask DisposeAsync()
    {
        await Line.DisposeAsync();
        if (ownsServer)
            await Server.DisposeAsync();
        Dir.Dispose();
    }
}
