using System.Text;

namespace Imapsync.Tests.Support;

/// <summary>A row of a CSV file that lists accounts to migrate.</summary>
/// <param name="Reason">A part of the expected error message; empty if the account can be moved.</param>
public sealed record AccountRow(string Name, string Source, string Target, string Reason = "", string Tls = "none", string Password = BrokenAccounts.Password, string TargetPassword = BrokenAccounts.AdminPassword)
{
    public const string Columns = "name,source,tls,password,target,admin_password";

    public string Line => $"{Name},{Source},{Tls},{Password},{Target},{TargetPassword}";
}

/// <summary>Two real servers with accounts whose migrations fail for ten different reasons.</summary>
public sealed class BrokenAccounts : IAsyncDisposable
{
    public const string Password = "row-secret-7788";
    public const string AdminPassword = "admin-secret-9911";

    private BrokenAccounts(DovecotServer source, DovecotServer target) => (Source, Target) = (source, target);

    public DovecotServer Source { get; }

    public DovecotServer Target { get; }

    /// <summary>The URL of the target's administrator, who may log in on behalf of every account of the target.</summary>
    public string Admin => $"imap://admin@127.0.0.1:{Target.Port}";

    /// <param name="good">Accounts at the source that can be moved; the first has three messages.</param>
    public static async Task<BrokenAccounts> StartAsync(TempDir dir, params string[] good)
    {
        var users = dir.Write("users", string.Concat(good.Concat(["big", "deep"]).Select(u => $"{u}:{{PLAIN}}{Password}::::::\n"))
            + $"disabled:{{PLAIN}}{Password}::::::nologin=y reason=This_account_is_disabled\n");
        var source = await DovecotServer.StartAsync(dir["server"], new DovecotOptions
        {
            Accounts = $"passdb {{\n  driver = passwd-file\n  args = {users}\n}}",
            // LAYOUT=fs stores folders as nested directories. So a folder's full name may be longer than one file name, which limits it in
            // Maildir++.
            Extra = $"mail_location = maildir:{dir["server"]}/mail/%u:LAYOUT=fs",
        });
        var masters = dir.Write("masters", $"admin:{{PLAIN}}{AdminPassword}::::::\n");
        var target = await DovecotServer.StartAsync(dir["target-server"], new DovecotOptions
        {
            Plugins = "quota imap_quota",
            Accounts = $"passdb {{\n  driver = passwd-file\n  args = {masters}\n  master = yes\n  pass = yes\n}}\npassdb {{\n  driver = static\n  args = password={Password}\n}}",
            Extra = "mail_plugins = quota\nplugin {\n  quota = maildir:User quota\n  quota_rule = *:storage=100K\n}",
        });
        var accounts = new BrokenAccounts(source, target);
        await accounts.FillAsync(good[0], 3);
        await accounts.FillAsync("big", 200);
        await accounts.FillAsync("deep", 1, string.Join('/', Enumerable.Repeat(new string('x', 100), 3)));
        return accounts;
    }

    /// <summary>Returns one row for each reason for which a migration fails.</summary>
    /// <param name="port">The port at which the source accepts clear-text connections.</param>
    /// <param name="good">An account at the source that can be moved.</param>
    public IReadOnlyList<AccountRow> RowsOf(int port, string good)
    {
        string From(string user) => $"imap://{user}@127.0.0.1:{port}";
        return
        [
            new("wrong-password", From(good), Admin, "source: cannot log in", Password: "not-it"),
            new("unknown-host", $"imap://{good}@no-such-host.invalid", Admin, "no-such-host.invalid", "required"),
            new("refused-port", $"imap://{good}@127.0.0.1:{LoopbackPorts.Free()}", Admin, "refused"),
            new("self-signed", $"imaps://{good}@127.0.0.1:{Source.TlsPort}", Admin, "certificate", "required"),
            new("over-quota", From("big"), Admin, "room for"),
            new("no-such-user", From("nobody"), Admin, "source: cannot log in"),
            new("disabled", From("disabled"), Admin, "source: cannot log in"),
            new("bad-url", $"imap:/{good}@127.0.0.1", Admin, "'//' is missing"),
            new("no-permission", From(good), $"imap://somebody@127.0.0.1:{Target.Port}", "allowed to act for", TargetPassword: Password),
            new("too-deep", From("deep"), Admin, "can't be made"),
        ];
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await Target.DisposeAsync();
    }

    /// <summary>Adds messages to an account at the source.</summary>
    public async Task FillAsync(string user, int messages, string folder = "INBOX")
    {
        await using var probe = await ImapProbe.ConnectAsync(Source.Port, user, Password);
        if (folder != "INBOX")
            await probe.CommandAsync($"CREATE \"{folder}\"");
        for (var i = 0; i < messages; i++)
            await probe.AppendAsync(folder, Encoding.ASCII.GetBytes($"From: a@example.org\r\nMessage-ID: <{user}-{i}@example.org>\r\nSubject: {i}\r\n\r\n{new string('y', 700)}\r\n"));
    }
}
