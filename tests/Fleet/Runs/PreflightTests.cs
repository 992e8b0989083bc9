using System.Net;
using System.Net.Sockets;
using System.Text;
using Imapsync.Engine.Tables;
using Imapsync.Fleet.Listing;
using Imapsync.Tests.Support;

namespace Imapsync.Fleet.Tests.Runs;

/// <summary>A list is checked by log-ins before it is submitted, by a server that runs as a process, against real mail servers.</summary>
public sealed class PreflightTests
{
    private const string Password = "row-secret-7788";
    private const string AdminPassword = "admin-secret-9911";

    [Fact(Timeout = 120_000)]
    public async Task Of_sixty_rows_sixteen_that_are_broken_in_ten_ways_are_named_by_line_and_reason_and_nothing_is_taken_in()
    {
        using var dir = new TempDir();
        string[] users = ["u0", "u1", "u2", "u3", "big", "deep"];
        await using var source = await DovecotServer.StartAsync(dir["server"], new DovecotOptions
        {
            Accounts = $"passdb {{\n  driver = passwd-file\n  args = {dir.Write("users", string.Concat(users.Select(u => $"{u}:{{PLAIN}}{Password}::::::\n")) + $"disabled:{{PLAIN}}{Password}::::::nologin=y reason=This_account_is_disabled\n")}\n}}",
            // Nested folders, whose whole names may be longer than a Maildir++ name can be.
            Extra = $"mail_location = maildir:{dir["server"]}/mail/%u:LAYOUT=fs",
        });
        await using var target = await DovecotServer.StartAsync(dir["target-server"], new DovecotOptions
        {
            Plugins = "quota imap_quota",
            Accounts = $"passdb {{\n  driver = passwd-file\n  args = {dir.Write("masters", $"admin:{{PLAIN}}{AdminPassword}::::::\n")}\n  master = yes\n  pass = yes\n}}\npassdb {{\n  driver = static\n  args = password={Password}\n}}",
            Extra = "mail_plugins = quota\nplugin {\n  quota = maildir:User quota\n  quota_rule = *:storage=100K\n}",
        });
        await FillAsync(source, "u0", 3);
        await FillAsync(source, "big", 200);
        await FillAsync(source, "deep", 1, string.Join('/', Enumerable.Repeat(new string('x', 100), 3)));
        await using var sourceLine = FaultProxy.Start(source.Port);
        string From(string user) => $"imap://{user}@127.0.0.1:{sourceLine.Port}";
        var admin = $"imap://admin@127.0.0.1:{target.Port}";
        int closed;
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            closed = ((IPEndPoint)listener.LocalEndpoint).Port;
        }

        Row[] broken =
        [
            new(From("u1"), admin, "source: cannot log in", Secret: "not-it"),
            new("imap://u1@no-such-host.invalid", admin, "no-such-host.invalid", "required"),
            new($"imap://u1@127.0.0.1:{closed}", admin, "refused"),
            new($"imaps://u1@127.0.0.1:{source.TlsPort}", admin, "certificate", "required"),
            new(From("big"), admin, "room for"),
            new(From("nobody"), admin, "source: cannot log in"),
            new(From("disabled"), admin, "source: cannot log in"),
            new("imap:/u1@127.0.0.1", admin, "'//' is missing"),
            new(From("u1"), $"imap://somebody@127.0.0.1:{target.Port}", "allowed to act for", TargetSecret: Password),
            new(From("deep"), admin, "can't be made"),
        ];
        // Each fault once and six of them twice, spread over the list.
        var rows = Enumerable.Range(0, 60).Select(i => i % 15 is 1 or 5 or 8 or 12 ? broken[(i / 15 * 4 + Array.IndexOf([1, 5, 8, 12], i % 15)) % 10] : new Row(From($"u{i % 4}"), admin, "")).ToArray();
        File.WriteAllLines(dir["accounts.csv"], rows.Select((r, i) => $"n{i},{r.Source},{r.Tls},{r.Secret},{r.Target},{r.TargetSecret}").Prepend("name,source,tls,password,target,admin_password"));
        dir.Write("bulk.yaml", $$"""
            jobs:
              - name: "{name}"
                for_each: accounts.csv
                source: { url: "{source}", tls: "{tls}", password: "{password}", timeouts: { connect: 10s } }
                target: { url: "{target}", tls: none, password: "{admin_password}", authorize_as: "{name}" }
                retry: { attempts: 1 }
            hosts:
              "127.0.0.1:{{sourceLine.Port}}": { connections: 5 }
            """);

        var environment = new Dictionary<string, string> { ["HOME"] = dir.Path };
        await using var server = FleetProcess.Start(dir.Path, environment, "serve", "--data", dir["data"], "--listen", "127.0.0.1:0", "--slots", "0");
        environment["IMAPSYNC_FLEET_TOKEN"] = await server.SeesAsync("token: ");
        environment["IMAPSYNC_FLEET_URL"] = await server.SeesAsync("url: ");
        var (status, words) = await FleetProcess.RunAsync(dir.Path, environment, "check", "bulk.yaml", "--sizes", "--parallel", "12", "--csv", "checked.csv");
        Assert.True(status == 1, words);
        Assert.Contains("44 of 60 can be run", words, StringComparison.Ordinal);
        using var csv = CsvReader.Open(dir["checked.csv"], new CsvForm());
        Assert.Equal(["name", "source", "tls", "target", "result", "reason"], csv.Columns);
        for (var i = 0; i < rows.Length; i++)
        {
            Assert.True(csv.ReadRow());
            Assert.Equal($"n{i}", csv.Cells[0]);
            Assert.Equal(rows[i].Reason.Length == 0 ? "ok" : "failed", csv.Cells[4]);
            Assert.Contains(rows[i].Reason, csv.Cells[5], StringComparison.OrdinalIgnoreCase);
            Assert.Equal(rows[i].Reason.Length > 0, words.Contains($"line {i + 2}, ", StringComparison.Ordinal));
        }

        Assert.InRange(sourceLine.MostAtOnce, 2, 5);
        await using var list = await FleetStore.OpenFileAsync(Path.Combine(dir["data"], "fleet.db"), null, TestContext.Current.CancellationToken);
        Assert.Empty(await list.ReadBatchesAsync(TestContext.Current.CancellationToken));
        var said = new List<string> { words, server.Words };
        foreach (var file in Directory.EnumerateFiles(dir["data"], "*", SearchOption.AllDirectories).Append(dir["checked.csv"]))
            said.Add(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)));
        Assert.All(said, s => Assert.DoesNotContain(Password, s, StringComparison.Ordinal));
        Assert.All(said, s => Assert.DoesNotContain(AdminPassword, s, StringComparison.Ordinal));
    }

    private static async Task FillAsync(DovecotServer server, string user, int messages, string folder = "INBOX")
    {
        await using var probe = await ImapProbe.ConnectAsync(server.Port, user, Password);
        if (folder != "INBOX")
            await probe.CommandAsync($"CREATE \"{folder}\"");
        for (var i = 0; i < messages; i++)
            await probe.AppendAsync(folder, Encoding.ASCII.GetBytes($"From: a@example.org\r\nMessage-ID: <{user}-{i}@example.org>\r\nSubject: {i}\r\n\r\n{new string('y', 700)}\r\n"));
    }

    private sealed record Row(string Source, string Target, string Reason, string Tls = "none", string Secret = Password, string TargetSecret = AdminPassword);
}
