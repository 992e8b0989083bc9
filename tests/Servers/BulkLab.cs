using System.Text;
using System.Text.Json;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>
/// Many accounts on a real Dovecot. Jobs made from the rows of a CSV file move them to another Dovecot. Proxies before the servers count
/// and cut the clear-text connections. If source and target are one server, it has one proxy.
/// </summary>
public sealed class BulkLab : IAsyncDisposable
{
    public const string Header = "user,password,target,target_password";

    private BulkLab(TempDir dir, DovecotServer source, DovecotServer target)
    {
        (Dir, Source, Target) = (dir, source, target);
        SourceLine = FaultProxy.Start(source.Port);
        TargetLine = source == target ? SourceLine : FaultProxy.Start(target.Port);
    }

    public TempDir Dir { get; }

    public DovecotServer Source { get; }

    public DovecotServer Target { get; }

    public FaultProxy SourceLine { get; }

    public FaultProxy TargetLine { get; }

    public string JobFile => Dir["bulk.yaml"];

    public string Accounts => Dir["accounts.csv"];

    public string ReportFile => Dir["report.json"];

    public List<string> Users { get; } = [];

    /// <summary>Further YAML lines of the job, such as <c>deletions: mirror</c>.</summary>
    public string Rules { get; set; } = "";

    /// <summary>The YAML lines of <c>hosts:</c>; null for none.</summary>
    public string? Hosts { get; set; }

    public string HostOfSource => $"\"127.0.0.1:{SourceLine.Port}\"";

    public string HostOfTarget => $"\"127.0.0.1:{TargetLine.Port}\"";

    /// <param name="sameServer">Whether source and target accounts are on the same server.</param>
    public static async Task<BulkLab> StartAsync(int accounts, int messages, bool sameServer = false, DovecotOptions? source = null, DovecotOptions? target = null, int medianBytes = 800)
    {
        var dir = new TempDir();
        var server = await DovecotServer.StartAsync(dir["server"], Allow(source));
        var other = sameServer ? server : await DovecotServer.StartAsync(dir["target-server"], Allow(target));
        var lab = new BulkLab(dir, server, other);
        for (var i = 1; i <= accounts; i++)
        {
            lab.Users.Add($"u{i:000}");
            MailGenerator.Fill(server.MaildirOf(lab.Users[^1]), new MailboxPlan { Messages = messages, Seed = i, MedianBytes = medianBytes, MaxBytes = 20_000 });
        }

        await server.TakeOwnershipAsync(Path.Combine(server.Directory, "mail"));
        lab.WriteRows(lab.Users);
        return lab;
    }

    private static DovecotOptions Allow(DovecotOptions? options) => options ?? new DovecotOptions
    {
        Password = "open-sesame",
        Extra = "default_process_limit = 1000\ndefault_client_limit = 4000\nservice imap {\n  process_limit = 1000\n}\nservice imap-login {\n  process_min_avail = 1\n}\n",
    };

    public string TargetOf(string user) => "new-" + user;

    public void WriteRows(IEnumerable<string> users) =>
        File.WriteAllLines(Accounts, users.Select(u => $"{u},{Source.Password},{TargetOf(u)},{Target.Password}").Prepend(Header));

    public void WriteJob()
    {
        var text = new StringBuilder($$"""
            jobs:
              - name: "{user}"
                for_each: accounts.csv
                source:
                  url: "imap://{user}@127.0.0.1:{{SourceLine.Port}}"
                  tls: none
                  password: "{password}"
                target:
                  url: "imap://{target}@127.0.0.1:{{TargetLine.Port}}"
                  tls: none
                  password: "{target_password}"
                state: "state/{user}"

            """.ReplaceLineEndings("\n"));
        foreach (var line in Rules.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            text.Append("    ").Append(line).Append('\n');
        if (Hosts is not null)
            text.Append("hosts:\n").Append(string.Concat(Hosts.Split('\n').Select(l => $"  {l}\n")));
        File.WriteAllText(JobFile, text.ToString());
    }

    public ImapsyncProcess Start(string command, params string[] options)
    {
        WriteJob();
        return ImapsyncProcess.Start(Dir.Create("home"), [command, JobFile, .. options]);
    }

    public async Task<ImapsyncResult> RunAsync(params string[] options)
    {
        await using var process = Start("run", ["--report", ReportFile, .. options]);
        return await process.WaitAsync();
    }

    public async Task<ImapsyncResult> SucceedAsync(params string[] options)
    {
        var result = await RunAsync(options);
        Assert.True(result.Status == 0, result.ToString());
        return result;
    }

    /// <summary>The report's jobs by name.</summary>
    public Dictionary<string, JsonElement> ReadReport()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(ReportFile));
        return document.RootElement.GetProperty("jobs").EnumerateArray().ToDictionary(j => j.GetProperty("name").GetString()!, j => j.Clone());
    }

    public async Task<MailboxSnapshot> SourceAsync(string user)
    {
        await using var probe = await ImapProbe.ConnectAsync(Source, user);
        return await probe.SnapshotAsync();
    }

    public async Task<MailboxSnapshot> TargetAsync(string user)
    {
        await using var probe = await ImapProbe.ConnectAsync(Target, TargetOf(user));
        return await probe.SnapshotAsync();
    }

    /// <summary>Asserts that each target account equals its source, without the product's code.</summary>
    public async Task AllEqualAsync(IEnumerable<string>? users = null)
    {
        foreach (var user in users ?? Users)
            BackupLab.Same(await SourceAsync(user), await TargetAsync(user), user);
    }

    public async ValueTask DisposeAsync()
    {
        await SourceLine.DisposeAsync();
        if (TargetLine != SourceLine)
            await TargetLine.DisposeAsync();
        await Source.DisposeAsync();
        if (Target != Source)
            await Target.DisposeAsync();
        Dir.Dispose();
    }
}
