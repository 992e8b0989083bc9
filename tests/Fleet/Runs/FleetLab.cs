using Imapsync.Fleet.Listing;
using Imapsync.Tests.Support;

namespace Imapsync.Fleet.Tests.Runs;

/// <summary>
/// Many accounts on a real Dovecot server, as many target accounts on a second one, and the directory of the fleet that copies them. Both
/// servers are reached through proxies that count connections.
/// </summary>
public sealed class FleetLab : IAsyncDisposable
{
    private readonly Dictionary<string, string> environment = [];

    private FleetLab(TempDir dir, DovecotServer source, DovecotServer target)
    {
        (Dir, Source, Target) = (dir, source, target);
        (SourceLine, TargetLine) = (FaultProxy.Start(source.Port), FaultProxy.Start(target.Port));
        dir.Create("data");
    }

    public TempDir Dir { get; }

    public DovecotServer Source { get; }

    public DovecotServer Target { get; }

    public FaultProxy SourceLine { get; }

    public FaultProxy TargetLine { get; }

    public List<string> Users { get; } = [];

    /// <summary>The lines of the job file's <c>hosts:</c> section; empty for none.</summary>
    public string Hosts { get; set; } = "";

    /// <summary>The PostgreSQL connection string; null to keep the account list in a file.</summary>
    public string? Postgres { get; set; }

    public static async Task<FleetLab> StartAsync(int accounts, int messages, int medianBytes = 800)
    {
        var dir = new TempDir();
        var options = new DovecotOptions
        {
            Password = "open-sesame",
            Extra = "default_process_limit = 1000\ndefault_client_limit = 4000\nservice imap {\n  process_limit = 1000\n}\nservice imap-login {\n  process_min_avail = 1\n}\n",
        };
        var lab = new FleetLab(dir, await DovecotServer.StartAsync(dir["server"], options), await DovecotServer.StartAsync(dir["target-server"], options));
        for (var i = 1; i <= accounts; i++)
        {
            lab.Users.Add($"u{i:000}");
            MailGenerator.Fill(lab.Source.MaildirOf(lab.Users[^1]), new MailboxPlan { Messages = messages, Seed = i, MedianBytes = medianBytes, MaxBytes = 20_000 });
        }

        await lab.Source.TakeOwnershipAsync(Path.Combine(lab.Source.Directory, "mail"));
        return lab;
    }

    public void WriteJob(string password = "open-sesame")
    {
        Dir.Write("accounts.csv", "user,password\n" + string.Concat(Users.Select(u => $"{u},{password}\n")));
        Dir.Write("moves.yaml", $$"""
            jobs:
              - name: "{user}"
                for_each: accounts.csv
                source: { url: "imap://{user}@127.0.0.1:{{SourceLine.Port}}", tls: none, password: "{password}", connections: 1 }
                target: { url: "imap://new-{user}@127.0.0.1:{{TargetLine.Port}}", tls: none, password: "{password}", connections: 1 }
            {{(Hosts.Length > 0 ? "hosts:\n" + Hosts : "")}}

            """);
    }

    public FleetProcess Serve(params string[] options) =>
        FleetProcess.Start(Dir.Path, Variables(), ["serve", "--data", Dir["data"], "--listen", "127.0.0.1:0", .. options]);

    /// <summary>Starts a worker, whose name PostgreSQL shows for its sessions.</summary>
    public FleetProcess Work(string name, int slots) =>
        FleetProcess.Start(Dir.Path, Variables($";Application Name={name}"), ["worker", "--data", Dir["data"], "--name", name, "--slots", $"{slots}"]);

    /// <summary>Waits until a server is up, and makes later commands use it.</summary>
    public async Task KnowAsync(FleetProcess server)
    {
        if (!environment.ContainsKey("IMAPSYNC_FLEET_TOKEN"))
            environment["IMAPSYNC_FLEET_TOKEN"] = await server.SeesAsync("token: ");
        environment["IMAPSYNC_FLEET_URL"] = await server.SeesAsync("url: ");
    }

    public async Task<string> CommandAsync(params string[] arguments)
    {
        var (status, words) = await FleetProcess.RunAsync(Dir.Path, Variables(), arguments);
        Assert.True(status == 0, $"{string.Join(' ', arguments)}: {status}\n{words}");
        return words;
    }

    /// <summary>Opens the fleet's account list directly in its database.</summary>
    public Task<FleetStore> OpenListAsync() => Postgres is null
        ? FleetStore.OpenFileAsync(Path.Combine(Dir["data"], "fleet.db"), null, TestContext.Current.CancellationToken)
        : FleetStore.OpenPostgresAsync(Postgres, null, TestContext.Current.CancellationToken);

    public static async Task<IReadOnlyList<AccountView>> AccountsAsync(FleetStore list) =>
        (await list.ReadAccountsAsync(new AccountPage(new AccountFilter(), Limit: 1000), TestContext.Current.CancellationToken)).Accounts;

    /// <summary>Waits until the accounts fulfil a condition. The wait has no limit of its own; the test's time limit ends it.</summary>
    public static async Task<IReadOnlyList<AccountView>> UntilAsync(FleetStore list, Func<IReadOnlyList<AccountView>, bool> isSo, params FleetProcess[] alive)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        while (true)
        {
            try
            {
                var accounts = await AccountsAsync(list);
                if (isSo(accounts))
                    return accounts;
                if (accounts.FirstOrDefault(a => a.Status is AccountStatus.Failed or AccountStatus.Incomplete) is { } failed)
                    Assert.Fail($"{failed}\n{string.Join("\n---\n", alive.Select(p => p.Words))}");
            }
            catch (Exception e) when (list.IsAway(e))
            {
                // The database is being restarted, so the read is tried again.
            }

            foreach (var process in alive)
                Assert.False(process.HasExited, process.Words);
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Compares the mailboxes at the servers without the program's code: no message may be missing or duplicated.</summary>
    public async Task AllEqualAsync()
    {
        foreach (var user in Users)
        {
            await using var source = await ImapProbe.ConnectAsync(Source, user);
            await using var target = await ImapProbe.ConnectAsync(Target, "new-" + user);
            var difference = (await target.SnapshotAsync()).DifferenceFrom(await source.SnapshotAsync());
            Assert.True(difference.Length == 0, $"{user}\n{difference}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await SourceLine.DisposeAsync();
        await TargetLine.DisposeAsync();
        await Source.DisposeAsync();
        await Target.DisposeAsync();
        Dir.Dispose();
    }

    /// <param name="settings">Settings to append to the connection string.</param>
    private Dictionary<string, string> Variables(string settings = "")
    {
        var variables = new Dictionary<string, string>(environment) { ["HOME"] = Dir.Path };
        if (Postgres is not null)
            variables["IMAPSYNC_FLEET_POSTGRES"] = Postgres + settings;
        return variables;
    }
}
