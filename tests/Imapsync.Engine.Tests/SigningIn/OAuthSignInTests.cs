using Imapsync.Engine.Mail;
using Imapsync.Engine.SigningIn;
using Imapsync.Tests.Support;
using Imapsync.Tests.Support.OAuth;

namespace Imapsync.Engine.Tests.SigningIn;

/// <summary>Grants and renewals against the tests' authorization server, with a clock that the test controls.</summary>
public sealed class OAuthSignInTests : IDisposable
{
    private readonly TempDir dir = new();
    private readonly AuthorizationServer server = AuthorizationServer.Start();
    private readonly List<string> told = [];

    [Fact]
    public async Task However_many_ask_at_once_one_token_is_had()
    {
        using var signIn = await SignedIn(TimeProvider.System);
        var tokens = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => signIn.ReadAsync(default).AsTask()));
        Assert.Single(tokens.Select(t => t.Reveal()).Distinct());
        Assert.Equal(["device_code", "refresh_token"], server.Grants);

        var renewed = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => signIn.RenewAsync(tokens[0], default).AsTask()));
        Assert.NotEqual(tokens[0].Reveal(), Assert.Single(renewed.Select(t => t.Reveal()).Distinct()));
        Assert.Equal(3, server.Grants.Count);
    }

    [Theory]
    [InlineData(3600, 54, 56)]
    [InlineData(1200, 14, 16)]
    public async Task It_is_renewed_some_minutes_before_its_end(int life, int stillGood, int renewed)
    {
        var clock = new ManualClock();
        using var signIn = await SignedIn(clock);
        server.TokenLife = TimeSpan.FromSeconds(life);
        var first = (await signIn.ReadAsync(default)).Reveal();
        clock.Advance(TimeSpan.FromMinutes(stillGood));
        Assert.Equal(first, (await signIn.ReadAsync(default)).Reveal());
        clock.Advance(TimeSpan.FromMinutes(renewed - stillGood));
        Assert.NotEqual(first, (await signIn.ReadAsync(default)).Reveal());
    }

    /// <summary>RFC 8628 §3.5: each <c>slow_down</c> lengthens the polling interval by five seconds for good.</summary>
    [Fact]
    public async Task A_server_that_asks_to_be_asked_less_often_is()
    {
        server.DeviceAnswers = ["authorization_pending", "slow_down", "authorization_pending", "slow_down", "authorization_pending"];
        var time = new RecordingTime();
        using var signIn = await SignedIn(time);
        Assert.Equal([1, 1, 6, 6, 11, 11], time.Waits.Select(w => w.TotalSeconds));
        Assert.Equal(2, told.Count);
        Assert.Contains(server.LastUserCode!, told[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refresh_token_that_stays_the_same_is_kept_as_it_is()
    {
        server.Rotates = false;
        using var signIn = await SignedIn(TimeProvider.System);
        for (var i = 0; i < 3; i++)
            await signIn.RenewAsync(await signIn.ReadAsync(default), default);
        using var again = Make(TimeProvider.System);
        await again.ReadAsync(default);
        Assert.Equal(5, server.Grants.Count(g => g == "refresh_token"));
    }

    /// <summary>
    /// The program checks that it could write a new refresh token to disk before it sends the old one. If not, the old token stays unused
    /// and valid.
    /// </summary>
    [Fact]
    public async Task Where_a_new_refresh_token_could_not_be_kept_the_old_one_is_not_spent()
    {
        using var signIn = await SignedIn(TimeProvider.System);
        var state = dir["state"];
        // A directory under the name of the temporary file makes the write fail.
        Directory.CreateDirectory(Path.Combine(state, "signin-source.tmp"));
        var failure = await Assert.ThrowsAsync<MailException>(() => signIn.ReadAsync(default).AsTask());
        Assert.Contains("the sign-in can't be kept", failure.Message, StringComparison.Ordinal);
        Assert.Equal(["device_code"], server.Grants);
        Directory.Delete(Path.Combine(state, "signin-source.tmp"));
        await signIn.ReadAsync(default);
    }

    /// <summary>
    /// A new refresh token could not be written to disk. The program uses the one in memory until somebody signs in or out.
    /// </summary>
    [Theory]
    [InlineData("nobody")]
    [InlineData("in")]
    [InlineData("out")]
    public async Task A_refresh_token_that_could_not_be_written_stands_for_the_one_on_disk_alone(string whoSigned)
    {
        using var signIn = await SignedIn(TimeProvider.System);
        var inTheWay = Path.Combine(dir["state"], "signin-source.tmp");
        server.OnRefresh = () => Directory.CreateDirectory(inTheWay);
        var failure = await Assert.ThrowsAsync<MailException>(() => signIn.ReadAsync(default).AsTask());
        Assert.Contains("the sign-in can't be kept", failure.Message, StringComparison.Ordinal);
        server.OnRefresh = null;
        Directory.Delete(inTheWay);
        if (whoSigned == "nobody")
        {
            await signIn.ReadAsync(default);
            return;
        }

        using var other = Make(new RecordingTime());
        if (whoSigned == "out")
        {
            Assert.Equal(SignOutOutcome.Revoked, await other.SignOutAsync(default));
            failure = await Assert.ThrowsAsync<MailException>(() => signIn.ReadAsync(default).AsTask());
            Assert.Contains("nobody has signed in yet", failure.Message, StringComparison.Ordinal);
            Assert.False(File.Exists(signIn.KeptFile));
            return;
        }

        // Revoke all earlier refresh tokens, so that only the refresh token of the new sign-in can get an access token.
        server.RevokeAll();
        await other.SignInAsync(new SignInDialogue(told.Add), KeyPlace.File, default);
        await signIn.ReadAsync(default);
        await other.ReadAsync(default);
    }

    [Theory]
    [InlineData(int.MaxValue, int.MaxValue)]
    [InlineData(int.MaxValue, 600)]
    [InlineData(7_000_000, int.MaxValue)]
    public async Task A_server_that_wants_to_be_asked_in_years_is_asked_while_the_code_is_good(int interval, int life)
    {
        server.DeviceAnswers = [];
        server.DeviceTimes = (interval, life);
        var time = new SkippingTime();
        using var signIn = Make(time);
        await signIn.SignInAsync(new SignInDialogue(told.Add), KeyPlace.File, default);
        Assert.Single(server.Grants);
        Assert.NotEmpty(time.Waits);
        Assert.All(time.Waits, w => Assert.InRange(w, TimeSpan.FromMinutes(1), TimeSpan.FromDays(1)));
    }

    [Fact]
    public async Task An_answer_with_another_state_changes_nothing_and_one_from_another_server_is_refused()
    {
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        var statuses = new List<int>();
        async Task Browse(Uri address, Func<string, string> change)
        {
            var answer = (await http.GetAsync(address)).Headers.Location!.OriginalString;
            var place = answer[..answer.IndexOf('?', StringComparison.Ordinal)];
            foreach (var wrong in (string[])[$"{place}?code=stolen", $"{place}?code=stolen&state=guessed", $"{place}/favicon.ico"])
                statuses.Add((int)(await http.GetAsync(new Uri(wrong))).StatusCode);
            statuses.Add((int)(await http.GetAsync(new Uri(change(answer)))).StatusCode);
        }

        using var signIn = Make(TimeProvider.System, OAuthGrant.Code);
        await SignIn(signIn, answer => answer);
        Assert.Equal([400, 400, 400, 200], statuses);
        Assert.Equal(["authorization_code"], server.Grants);
        var failure = await Assert.ThrowsAsync<MailException>(() => SignIn(signIn, answer => answer.Replace("iss=", "iss=x", StringComparison.Ordinal)));
        Assert.Contains("another authorization server", failure.Message, StringComparison.Ordinal);
        failure = await Assert.ThrowsAsync<MailException>(() => SignIn(signIn, answer => answer.Replace("code=", "error=access_denied&x=", StringComparison.Ordinal)));
        Assert.Contains("whoever was asked said no", failure.Message, StringComparison.Ordinal);
        Assert.Equal(["authorization_code"], server.Grants);

        async Task SignIn(OAuthSignIn by, Func<string, string> change)
        {
            var browsing = Task.CompletedTask;
            await by.SignInAsync(new SignInDialogue(told.Add, address => browsing = Browse(address, change)), KeyPlace.File, default);
            await browsing;
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("""{"client_email":"robot","private_key":"-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----"}""")]
    [InlineData("""{"client_email":7,"private_key":"hunter2"}""")]
    [InlineData("hunter2")]
    public void A_key_file_that_is_none_is_refused_without_a_word_of_it(string text)
    {
        var failure = Assert.Throws<MailException>(() => ServiceAccount.Read(dir.Write("account.json", text)));
        Assert.Equal(FailureKind.Configuration, failure.Kind);
        Assert.DoesNotContain("hunter2", failure.ToString(), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        server.Dispose();
        dir.Dispose();
    }

    private async Task<OAuthSignIn> SignedIn(TimeProvider time)
    {
        var hurried = time as RecordingTime ?? new RecordingTime();
        using var first = Make(hurried);
        await first.SignInAsync(new SignInDialogue(told.Add), KeyPlace.File, default);
        return Make(time);
    }

    private OAuthSignIn Make(TimeProvider time, OAuthGrant grant = OAuthGrant.Device)
    {
        var settings = new OAuthSettings(OAuthProviders.Described, "alice", AuthorizationServer.ClientId, grant) { Issuer = server.Url, Scopes = [AuthorizationServer.Scope] };
        return new OAuthSignIn(settings, new SignInPlace(dir["state"], "source", "imapsync login"), new Dictionary<string, string>(), time);
    }

    /// <summary>A clock that ends waits of a minute or more at once and records them.</summary>
    private sealed class SkippingTime : TimeProvider
    {
        public List<TimeSpan> Waits { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime < TimeSpan.FromMinutes(1))
                return base.CreateTimer(callback, state, dueTime, period);
            Waits.Add(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.FromMilliseconds(1), period);
        }
    }

    /// <summary>A clock that ends waits of 1 to 20 seconds at once and records them.</summary>
    private sealed class RecordingTime : TimeProvider
    {
        private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(20);

        public List<TimeSpan> Waits { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime < TimeSpan.FromSeconds(1) || dueTime > LongestWait)
                return base.CreateTimer(callback, state, dueTime, period);
            Waits.Add(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.FromMilliseconds(1), period);
        }
    }
}
