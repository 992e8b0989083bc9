using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>An administrator logs in on behalf of every account, in the form that each server supports.</summary>
public sealed class AdministratorTests
{
    private const string MasterPassword = "master-of-all-77";

    [Fact]
    public async Task A_Dovecot_master_user_on_both_sides_moves_every_account_and_no_one_elses_log_in_does()
    {
        using var masters = new TempDir();
        var passwords = masters.Write("masters", $"admin:{{PLAIN}}{MasterPassword}::::::\n");
        var options = new DovecotOptions
        {
            Accounts = $"passdb {{\n  driver = passwd-file\n  args = {passwords}\n  master = yes\n  pass = yes\n}}\npassdb {{\n  driver = static\n  args = password=open-sesame\n}}",
            Password = "open-sesame",
        };
        await using var lab = await BulkLab.StartAsync(6, messages: 40, source: options, target: options);
        File.WriteAllLines(lab.Accounts, lab.Users.Select(u => $"{u},{lab.TargetOf(u)}").Prepend("user,target"));
        WriteJob("admin");
        var refused = await RunAsync("alice");
        Assert.True(refused.Status == 12, refused.ToString());
        Assert.Contains("allowed to act for '", refused.Error, StringComparison.Ordinal);

        var result = await RunAsync("admin");
        Assert.True(result.Status == 0, result.ToString());
        Assert.DoesNotContain(MasterPassword, result.ToString(), StringComparison.Ordinal);
        await lab.AllEqualAsync();

        void WriteJob(string login) => lab.Dir.Write("bulk.yaml", $$"""
            jobs:
              - name: "{user}"
                for_each: accounts.csv
                source: { url: "imap://{{login}}@127.0.0.1:{{lab.SourceLine.Port}}", tls: none, password_env: ADMIN, authorize_as: "{user}" }
                target: { url: "imap://{{login}}@127.0.0.1:{{lab.TargetLine.Port}}", tls: none, password_env: ADMIN, authorize_as: "{target}" }
                state: "state/{user}"
            """);

        async Task<ImapsyncResult> RunAsync(string login)
        {
            WriteJob(login);
            await using var process = ImapsyncProcess.Start(lab.Dir.Create("home"), ["run", lab.JobFile, "--parallel", "6"], new Dictionary<string, string> { ["ADMIN"] = login == "admin" ? MasterPassword : "open-sesame" });
            return await process.WaitAsync();
        }
    }

    [Fact]
    public async Task A_Cyrus_administrator_fills_the_accounts_of_others()
    {
        var reason = await UnpackedServer.WhyNotAsync("cyrus");
        Assert.SkipWhen(reason is not null, reason ?? "");
        await using var lab = await BulkLab.StartAsync(1, messages: 40);
        await using var cyrus = await CyrusServer.StartAsync(lab.Dir["cyrus"], "proxyservers: alice\nmunge8bit: no\n");
        File.WriteAllLines(lab.Accounts, [BulkLab.Header, $"u001,{lab.Source.Password},bob,{UnpackedServer.Password}"]);
        lab.Dir.Write("bulk.yaml", $$"""
            jobs:
              - name: "{user}"
                for_each: accounts.csv
                source: { url: "imap://{user}@127.0.0.1:{{lab.Source.Port}}", tls: none, password: "{password}" }
                target: { url: "imap://alice@127.0.0.1:{{cyrus.Port}}", tls: none, password: "{target_password}", authorize_as: "{target}" }
                state: "state/{user}"
            """);
        await using var process = ImapsyncProcess.Start(lab.Dir.Create("home"), ["run", lab.JobFile]);
        var result = await process.WaitAsync();
        Assert.True(result.Status == 0, result.ToString());
        await using var bob = await ImapProbe.ConnectAsync(cyrus.Port, "bob", UnpackedServer.Password);
        Assert.Equal((await lab.SourceAsync("u001")).MessageCount, (await bob.SnapshotAsync()).MessageCount);
    }
}
