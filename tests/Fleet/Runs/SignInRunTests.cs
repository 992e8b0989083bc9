using System.Text;
using Imapsync.Fleet.Listing;
using Imapsync.Tests.Support;
using Imapsync.Tests.Support.OAuth;

namespace Imapsync.Fleet.Tests.Runs;

/// <summary>
/// Worker processes copy an account that a person has to sign in to. Its Dovecot server asks an authorization server about each token.
/// </summary>
[Collection(OtherPostgresCollection.Name)]
public sealed class SignInRunTests(PostgresFixture postgres)
{
    [Theory(Timeout = 300_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_person_signs_in_once_every_worker_gets_in_and_a_revoked_sign_in_names_the_command(bool isShared)
    {
        using var authority = AuthorizationServer.Start("u001");
        await using var lab = await FleetLab.StartAsync(accounts: 1, messages: 20);
        await AcceptTokensAsync(lab, authority);
        lab.Dir.Write("accounts.csv", "user,password\nu001,open-sesame\n");
        lab.Dir.Write("moves.yaml", $$"""
            jobs:
              - name: "{user}"
                for_each: accounts.csv
                source: { url: "imap://{user}@127.0.0.1:{{lab.SourceLine.Port}}", tls: none, oauth: { client_id: {{AuthorizationServer.ClientId}}, issuer: "{{authority.Url}}", scopes: [mail.read], grant: device } }
                target: { url: "imap://new-{user}@127.0.0.1:{{lab.TargetLine.Port}}", tls: none, password: "{password}" }
            """);
        lab.Postgres = isShared ? await postgres.NewDatabaseAsync() : null;
        var words = new List<string>();
        await using (var server = lab.Serve("--slots", isShared ? "0" : "1"))
        {
            await lab.KnowAsync(server);
            await using var first = isShared ? lab.Work("first", 1) : null;
            await using var list = await lab.OpenListAsync();
            words.Add(await lab.CommandAsync("submit", "moves.yaml"));
            await FailsAsync(list, "nobody has signed in yet; run 'imapsync-fleet login moves u001 source'");
            words.Add(await lab.CommandAsync("login", "moves", "u001"));
            Assert.Contains(authority.Url + "/enter", words[^1], StringComparison.Ordinal);
            Assert.Contains(authority.LastUserCode!, words[^1], StringComparison.Ordinal);
            Assert.Contains("source: signed in", words[^1], StringComparison.Ordinal);
            words.Add(await lab.CommandAsync("retry", "moves"));
            await EndsAsync(list, AccountStatus.Done);
            // The command "check" logs in at the source with the stored OAuth tokens, as a run does.
            words.Add(await lab.CommandAsync("check", "--submitted", "moves"));
            Assert.Contains("1 of 1 can be run", words[^1], StringComparison.Ordinal);
            foreach (var process in new[] { server, first }.OfType<FleetProcess>())
            {
                await process.SignalAsync("KILL");
                await process.WaitAsync();
                words.Add(process.Words);
            }
        }

        await using (var server = lab.Serve("--slots", isShared ? "0" : "1"))
        {
            await lab.KnowAsync(server);
            await using var second = isShared ? lab.Work("second", 1) : null;
            await using var list = await lab.OpenListAsync();
            // The server accepts each refresh token once, so the new process must use the one that the killed process saved last.
            words.Add(await lab.CommandAsync("retry", "moves"));
            await EndsAsync(list, AccountStatus.Done);
            await lab.AllEqualAsync();
            authority.RevokeAll();
            words.Add(await lab.CommandAsync("retry", "moves"));
            var failed = await FailsAsync(list, "the sign-in is over");
            Assert.Contains("run 'imapsync-fleet login moves u001 source'", failed.Problem, StringComparison.Ordinal);
            words.Add(await lab.CommandAsync("login", "moves", "u001", "source"));
            words.Add(await lab.CommandAsync("retry", "moves"));
            await EndsAsync(list, AccountStatus.Done);
            words.Add(await lab.CommandAsync("logout", "moves", "u001"));
            Assert.Contains("revoked", words[^1], StringComparison.Ordinal);
            words.AddRange([server.Words, second?.Words ?? ""]);
            words.AddRange((await list.ReadStoryAsync(failed.Id, TestContext.Current.CancellationToken)).Events.Select(e => e.Text));
        }

        foreach (var file in Directory.EnumerateFiles(lab.Dir["data"], "*", SearchOption.AllDirectories))
            words.Add(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)));
        Assert.All(words, w => Assert.All(authority.Secrets, s => Assert.DoesNotContain(s, w, StringComparison.Ordinal)));
    }

    private static async Task<AccountView> FailsAsync(FleetStore list, string why)
    {
        var failed = await EndsAsync(list, AccountStatus.Failed);
        Assert.Contains(why, failed.Problem, StringComparison.Ordinal);
        return failed;
    }

    private static async Task<AccountView> EndsAsync(FleetStore list, AccountStatus status) =>
        (await FleetLab.UntilAsync(list, a => a.Count == 1 && a[0].Status == status)).Single();

    /// <summary>
    /// Makes the source server accept OAuth tokens that the authorization server confirms. The test's own IMAP client can still log in with
    /// the password.
    /// </summary>
    private static Task AcceptTokensAsync(FleetLab lab, AuthorizationServer authority)
    {
        var settings = lab.Dir.Write("oauth2.conf", $"introspection_url = {authority.Url}/introspect\nintrospection_mode = post\nusername_attribute = username\nactive_attribute = active\nactive_value = true\n");
        return lab.Source.RestartAsync(options: lab.Source.Options with
        {
            Mechanisms = "xoauth2 oauthbearer plain",
            Accounts = $"passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {settings}\n}}\n"
                + $"passdb {{\n  driver = static\n  mechanisms = plain\n  args = password={lab.Source.Password}\n}}",
        });
    }
}
