using Imapsync.Tests.Support;
using Imapsync.Tests.Support.OAuth;

namespace Imapsync.Servers.Tests.SignIn;

/// <summary>
/// Access tokens expire during a run. The run renews them in time and only when needed. However it ends, the stored refresh token is valid.
/// </summary>
public sealed class TokenRenewalTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_run_over_several_lives_of_a_token_with_broken_connections_is_complete(bool rotates)
    {
        await using var lab = await SignInLab.StartAsync(messages: 150);
        lab.Authority.Rotates = rotates;
        await lab.SignInAsync();
        lab.Authority.TokenLife = TimeSpan.FromSeconds(2);
        // The run takes some ten seconds and its connections are cut several times. Each new connection needs a valid token.
        lab.Lab.Endpoint += "\n      limits: { messages_per_second: 15, connections: 2 }";
        lab.Lab.Rules = "retry: { max_delay: 1s }";
        lab.Lab.Line.Rules = new FaultRules { CutAfterFromServer = 60_000, MostFaults = 12 };
        var outcome = await lab.Lab.SucceedAsync("--trace", lab.Lab.Dir["trace.log"]);

        Assert.True(lab.Lab.Line.Faults.Count >= 3, $"{lab.Lab.Line.Faults.Count} connections were cut\n{outcome}");
        var renewals = lab.Authority.Grants.Count(g => g == "refresh_token");
        Assert.True(renewals >= 3, $"{renewals} tokens were had\n{outcome}");
        Assert.True(lab.Authority.Introspections.Good >= 4, $"{lab.Authority.Introspections}\n{outcome}");
        outcome.AddsUp();
        await lab.Lab.TargetEqualsSourceAsync();
        lab.NothingIsShown(outcome.Everything);
    }

    [Fact]
    public async Task Many_connections_at_once_cost_one_renewal()
    {
        await using var lab = await SignInLab.StartAsync(messages: 200);
        await lab.SignInAsync();
        // The source is slow enough for the run to open several connections, and the target accepts many folders at once.
        await using var target = await DovecotServer.StartAsync(lab.Lab.Dir["target-server"]);
        lab.Lab.Target = $"imap://bob@127.0.0.1:{target.Port}\n      tls: none\n      connections: 6\n      password_env: TARGET_PASSWORD";
        lab.Lab.Environment["TARGET_PASSWORD"] = target.Password;
        lab.Lab.Endpoint += "\n      limits: { messages_per_second: 30, connections: 6 }";
        var log = 0;
        // The token expires between two log-ins. All connections that are refused for this reason must share one renewal.
        lab.Authority.OnIntrospect = () =>
        {
            if (Interlocked.Increment(ref log) == 2)
                lab.Authority.ExpireAccessTokens();
        };
        await lab.Lab.SucceedAsync();
        Assert.True(lab.Authority.Introspections is { Good: >= 4, Bad: >= 1 }, $"{lab.Authority.Introspections}");
        Assert.Equal(2, lab.Authority.Grants.Count(g => g == "refresh_token"));
    }

    [Fact]
    public async Task A_kill_between_the_new_refresh_token_and_its_use_loses_no_sign_in()
    {
        await using var lab = await SignInLab.StartAsync();
        await lab.SignInAsync();
        for (var round = 0; round < 3; round++)
        {
            ImapsyncProcess? running = null;
            lab.Authority.OnIntrospect = () => running!.Kill();
            running = lab.Lab.Start();
            Assert.Equal(128 + 9, (await running.WaitAsync()).Status);
            await running.DisposeAsync();
        }

        lab.Authority.OnIntrospect = null;
        await lab.Lab.SucceedAsync();
        await lab.Lab.TargetEqualsSourceAsync();
        Assert.Equal(4, lab.Authority.Grants.Count(g => g == "refresh_token"));
    }

    /// <summary>With refresh token rotation, a server revokes all tokens of a sign-in if two programs use the same refresh token.</summary>
    [Fact]
    public async Task Several_commands_of_one_job_at_once_do_not_spend_one_refresh_token_twice()
    {
        await using var lab = await SignInLab.StartAsync();
        await lab.SignInAsync();
        var results = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => lab.CommandAsync("check")));
        Assert.All(results, r => Assert.True(r.Status == 0, r.ToString()));
        Assert.Equal(4, lab.Authority.Grants.Count(g => g == "refresh_token"));
        await lab.Lab.SucceedAsync();
    }
}
