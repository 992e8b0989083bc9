using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary><c>check</c> of many accounts: it names the fault of each row before any mail is moved.</summary>
public sealed class PreflightTests
{
    private const string Password = "row-secret-7788";
    private const string AdminPassword = "admin-secret-9911";

    [Fact]
    public async Task Rows_that_are_broken_in_ten_ways_are_each_named_with_the_reason_and_the_others_pass()
    {
        using var dir = new TempDir();
        var users = dir.Write("users", string.Concat(new[] { "good1", "good2", "big", "deep" }.Select(u => $"{u}:{{PLAIN}}{Password}::::::\n"))
            + $"disabled:{{PLAIN}}{Password}::::::nologin=y reason=This_account_is_disabled\n");
        await using var source = await DovecotServer.StartAsync(dir["server"], new DovecotOptions
        {
            Accounts = $"passdb {{\n  driver = passwd-file\n  args = {users}\n}}",
            // Nested folders, whose whole names may be longer than a Maildir++ name can be.
            Extra = $"mail_location = maildir:{dir["server"]}/mail/%u:LAYOUT=fs",
        });
        var masters = dir.Write("masters", $"admin:{{PLAIN}}{AdminPassword}::::::\n");
        await using var target = await DovecotServer.StartAsync(dir["target-server"], new DovecotOptions
        {
            Plugins = "quota imap_quota",
            Accounts = $"passdb {{\n  driver = passwd-file\n  args = {masters}\n  master = yes\n  pass = yes\n}}\npassdb {{\n  driver = static\n  args = password={Password}\n}}",
            Extra = "mail_plugins = quota\nplugin {\n  quota = maildir:User quota\n  quota_rule = *:storage=100K\n}",
        });
        await FillAsync(source, "good1", 3);
        await FillAsync(source, "good2", 3);
        await FillAsync(source, "big", 200);
        await FillAsync(source, "deep", 1, string.Join('/', Enumerable.Repeat(new string('x', 100), 3)));
        string Url(string user) => $"imap://{user}@127.0.0.1:{source.Port}";
        var admin = $"imap://admin@127.0.0.1:{target.Port}";
        int closed;
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            closed = ((IPEndPoint)listener.LocalEndpoint).Port;
        }

        (string Name, string Source, string SourceTls, string SourcePassword, string Target, string TargetPassword, string Reason)[] rows =
        [
            ("good-1", Url("good1"), "none", Password, admin, AdminPassword, ""),
            ("wrong-password", Url("good1"), "none", "not-it", admin, AdminPassword, "source: cannot log in"),
            ("unknown-host", "imap://good1@no-such-host.invalid", "required", Password, admin, AdminPassword, "no-such-host.invalid"),
            ("refused-port", $"imap://good1@127.0.0.1:{closed}", "none", Password, admin, AdminPassword, "refused"),
            ("self-signed", $"imaps://good1@127.0.0.1:{source.TlsPort}", "required", Password, admin, AdminPassword, "certificate"),
            ("over-quota", Url("big"), "none", Password, admin, AdminPassword, "room for"),
            ("no-such-user", Url("nobody"), "none", Password, admin, AdminPassword, "source: cannot log in"),
            ("disabled", Url("disabled"), "none", Password, admin, AdminPassword, "source: cannot log in"),
            ("bad-url", "imap:/good1@127.0.0.1", "none", Password, admin, AdminPassword, "'//' is missing"),
            ("no-permission", Url("good1"), "none", Password, $"imap://somebody@127.0.0.1:{target.Port}", Password, "allowed to act for"),
            ("too-deep", Url("deep"), "none", Password, admin, AdminPassword, "can't be made"),
            ("good-2", Url("good2"), "none", Password, admin, AdminPassword, ""),
        ];
        File.WriteAllLines(dir["accounts.csv"], rows.Select(r => $"{r.Name},{r.Source},{r.SourceTls},{r.SourcePassword},{r.Target},{r.TargetPassword}").Prepend("name,source,tls,password,target,admin_password"));
        dir.Write("bulk.yaml", """
            jobs:
              - name: "{name}"
                for_each: accounts.csv
                source: { url: "{source}", tls: "{tls}", password: "{password}", timeouts: { connect: 10s } }
                target: { url: "{target}", tls: none, password: "{admin_password}", authorize_as: "{name}" }
                retry: { attempts: 1 }
                state: "state/{name}"
            """);

        await using var process = ImapsyncProcess.Start(dir.Create("home"), ["check", dir["bulk.yaml"], "--sizes", "--csv", dir["checked.csv"], "--output", "json", "--parallel", "6"]);
        var result = await process.WaitAsync();
        Assert.True(result.Status == 2, result.ToString());
        Assert.Contains("accounts.csv:10:2: '//' is missing", result.Error, StringComparison.Ordinal);
        var lines = File.ReadAllLines(dir["checked.csv"]);
        Assert.Equal("name,source,tls,target,result,reason", lines[0]);
        Assert.Equal(rows.Select(r => r.Name), lines.Skip(1).Select(l => l.Split(',')[0]));
        foreach (var (row, line) in rows.Zip(lines.Skip(1)))
        {
            Assert.Contains(row.Reason.Length == 0 ? ",ok," : ",failed,", line, StringComparison.Ordinal);
            Assert.Contains(row.Reason, line, StringComparison.OrdinalIgnoreCase);
        }

        foreach (var text in (string[])[result.ToString(), .. lines])
        {
            Assert.DoesNotContain(Password, text, StringComparison.Ordinal);
            Assert.DoesNotContain(AdminPassword, text, StringComparison.Ordinal);
        }

        using var json = JsonDocument.Parse(result.Output);
        var good = json.RootElement.GetProperty("jobs").EnumerateArray().Single(j => j.GetProperty("name").GetString() == "good-2");
        Assert.Equal(3, good.GetProperty("size").GetProperty("messages_left").GetInt32());
        // The check changed nothing: there is neither mail nor state.
        Assert.False(Directory.Exists(dir["state"]));
    }

    private static async Task FillAsync(DovecotServer server, string user, int messages, string folder = "INBOX")
    {
        await using var probe = await ImapProbe.ConnectAsync(server.Port, user, Password);
        if (folder != "INBOX")
            await probe.CommandAsync($"CREATE \"{folder}\"");
        for (var i = 0; i < messages; i++)
            await probe.AppendAsync(folder, Encoding.ASCII.GetBytes($"From: a@example.org\r\nMessage-ID: <{user}-{i}@example.org>\r\nSubject: {i}\r\n\r\n{new string('y', 700)}\r\n"));
    }
}
