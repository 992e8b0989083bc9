using Imapsync.Engine.Mail;
using Imapsync.Engine.SigningIn;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.SigningIn;
using Imapsync.Fleet.State;
using Imapsync.Fleet.Submitting;
using Imapsync.Tests.Support;
using Imapsync.Tests.Support.OAuth;

namespace Imapsync.Fleet.Tests.SigningIn;

/// <summary>
/// The sign-ins of accounts in the fleet's database. The tokens are encrypted. The worker that holds an account renews its tokens; a worker
/// that has lost the account can't write them.
/// </summary>
public abstract class SignInContract : IAsyncLifetime
{
    private const string Worker = "w1";

    private static readonly FleetTimes Endless = new() { Lease = TimeSpan.FromHours(1), Ready = TimeSpan.FromHours(1), Silence = TimeSpan.FromHours(1) };

    private readonly TempDir dir = new();
    private readonly AuthorizationServer server = AuthorizationServer.Start();
    private BatchReader reader = null!;
    private FleetStore store = null!;

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected string Directory => dir.Path;

    protected abstract Task<FleetStore> OpenStoreAsync(FleetTimes times);

    public virtual async ValueTask InitializeAsync()
    {
        reader = new BatchReader(Seal.Open(dir["keys"]), new BatchRules(trusted: false, [], new Dictionary<string, string>()));
        store = await OpenStoreAsync(Endless);
        server.DeviceAnswers = [];
        await SubmitAsync(AuthorizationServer.ClientId);
    }

    public virtual async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        server.Dispose();
        dir.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_new_refresh_token_is_there_for_the_worker_that_goes_on_and_none_is_readable_in_the_database()
    {
        await SignInAsync("alice");
        var first = await BeginAsync("alice");
        using (var used = SignInOf(first))
        {
            for (var i = 0; i < 3; i++)
                await used.RenewAsync(await used.ReadAsync(Token), Token);
        }

        Assert.True(await store.FinishAsync(Worker, new AttemptEnd(first.Account, first.Attempt, AccountStatus.Due, 0, 0, "handed back"), Token));
        // The server accepts each refresh token once, so this succeeds only with the one that it issued last.
        using var next = SignInOf(await BeginAsync("alice", "w2"), "w2");
        Assert.NotEmpty((await next.ReadAsync(Token)).Reveal());
        Assert.Equal(["device_code", .. Enumerable.Repeat("refresh_token", 5)], server.Grants);
        var stored = await store.SignIns.FindAsync(first.Account, SignIns.Source, Token);
        Assert.False(stored!.IsInTurn);
        Assert.All(server.Secrets, s => Assert.DoesNotContain(s, stored.Token, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_worker_that_has_lost_the_account_spends_no_token()
    {
        await SignInAsync("alice");
        var first = await BeginAsync("alice");
        using var lost = SignInOf(first);
        Assert.True(await store.FinishAsync(Worker, new AttemptEnd(first.Account, first.Attempt, AccountStatus.Due, 0, 0, "handed back"), Token));
        await BeginAsync("alice", "w2");
        var failure = await Assert.ThrowsAsync<MailException>(() => lost.ReadAsync(Token).AsTask());
        Assert.True(failure.IsTransient);
        Assert.Equal(["device_code"], server.Grants);
    }

    [Fact]
    public async Task What_a_worker_saves_late_overwrites_nothing_that_is_newer()
    {
        await SignInAsync("alice");
        var begun = await BeginAsync("alice");
        using var late = SignInOf(begun);
        server.OnRefresh = () => store.SignIns.KeepAsync(begun.Account, SignIns.Source, "for", "the newer one", 42, Token).GetAwaiter().GetResult();
        await late.ReadAsync(Token);
        Assert.Equal("the newer one", (await store.SignIns.FindAsync(begun.Account, SignIns.Source, Token))!.Token);
    }

    [Fact]
    public async Task Nobody_uses_a_sign_in_while_another_does()
    {
        await SignInAsync("alice");
        var begun = await BeginAsync("alice");
        var happened = new List<string>();
        server.OnRefresh = () => happened.Add(store.SignIns.TakeAsync(begun.Account, SignIns.Source, writer: null, 8, Token).GetAwaiter().GetResult() is null ? "spent alone" : "spent beside another");
        Assert.NotNull(await store.SignIns.TakeAsync(begun.Account, SignIns.Source, writer: null, 7, Token));
        using var waiting = SignInOf(begun);
        var reading = waiting.ReadAsync(Token).AsTask();
        happened.Add("the other ends");
        await store.SignIns.EndTurnAsync(begun.Account, SignIns.Source, 7, Token);
        await reading;
        Assert.Equal(["the other ends", "spent alone"], happened);
    }

    [Fact]
    public async Task A_sign_in_of_another_account_or_for_another_client_is_refused_before_any_token_is_sent()
    {
        await SignInAsync("alice");
        var alice = await BeginAsync("alice");
        var bob = await BeginAsync("bob");
        var stored = (await store.SignIns.FindAsync(alice.Account, SignIns.Source, Token))!;
        var asked = server.Grants.Count;
        await store.SignIns.KeepAsync(bob.Account, SignIns.Source, stored.Binding, stored.Token, 5, Token);
        await RefusedAsync(bob, "bob", "is of no use");
        // When the list names another client ID, the token that was issued to the old client is not sent.
        foreach (var begun in new[] { alice, bob })
            Assert.True(await store.FinishAsync(Worker, new AttemptEnd(begun.Account, begun.Attempt, AccountStatus.Due, 0, 0, "handed back"), Token));
        await SubmitAsync("another-client");
        await RefusedAsync(await BeginAsync("alice"), "alice", "another user, client or provider");
        Assert.Equal(asked, server.Grants.Count);
    }

    [Fact]
    public async Task A_revoked_sign_in_ends_the_account_with_the_command_that_signs_in_again()
    {
        var begun = await BeginAsync("alice");
        await RefusedAsync(begun, "alice", "nobody has signed in yet");
        await SignInAsync("alice");
        server.RevokeAll();
        await RefusedAsync(begun, "alice", "the sign-in is over");
        await SignInAsync("alice");
        using var again = SignInOf(begun);
        await again.ReadAsync(Token);
        Assert.Equal(SignOutOutcome.Revoked, await again.SignOutAsync(Token));
        Assert.Equal(1, server.Revocations);
        await RefusedAsync(begun, "alice", "nobody has signed in yet");
    }

    [Fact]
    public async Task A_sign_in_goes_with_its_list()
    {
        await SignInAsync("alice");
        var list = Assert.Single(await store.ReadBatchesAsync(Token));
        Assert.Equal(0, await store.DeleteAsync(list.Id, Token));
        Assert.Null(await store.SignIns.FindAsync(1, SignIns.Source, Token));
    }

    private async Task SubmitAsync(string client)
    {
        var batch = reader.Read($$"""
            jobs:
              - name: "{user}"
                for_each: accounts.csv
                source: { url: "imap://{user}@127.0.0.1:1", tls: none, oauth: { client_id: {{client}}, issuer: "{{server.Url}}", scopes: [mail.read], grant: device } }
                target: { url: "imap://{user}@127.0.0.1:2", tls: none, password: "{password}" }
            """, "user,password\nalice,x\nbob,y\n"u8.ToArray());
        await store.SubmitAsync(new NewBatch("all moves", batch.Job, 0, null, "UTC", false), batch.Accounts, Token);
    }

    private async Task SignInAsync(string account)
    {
        var numbers = await store.ReadNumbersAsync("all moves", Token);
        var row = (await store.ReadRowAsync(numbers[account], Token))!;
        using var signIn = SignInOf(row.Job, row.Cells, numbers[account], writer: null);
        await signIn.SignInAsync(new SignInDialogue(_ => { }), KeyPlace.Best, Token);
    }

    /// <summary>
    /// Lets a worker begin an attempt of the account. The account is offered to the worker first, unless it was offered before.
    /// </summary>
    private async Task<StartedAccount> BeginAsync(string account, string worker = Worker)
    {
        await store.SeenAsync(worker, 10, "1", false, Token);
        await store.FeedAsync((_, _, _) => null, Token);
        var wanted = (await store.ReadAccountsAsync(new AccountPage(new AccountFilter()), Token)).Accounts.Single(a => a.Name == account);
        return (await store.StartAsync(wanted.Id, wanted.Attempt, worker, Token))!;
    }

    private OAuthSignIn SignInOf(StartedAccount begun, string worker = Worker) =>
        SignInOf(begun.Job, begun.Cells, begun.Account, new StateWriter(begun.Account, begun.Attempt, worker, () => { }));

    private OAuthSignIn SignInOf(string job, string cells, long account, StateWriter? writer) =>
        SignIns.SidesOf(new SignIns(store.SignIns, reader.Seal, TimeProvider.System).Join(reader.Rebuild(job, cells), "all moves", account, writer)).Single().SignIn;

    private async Task RefusedAsync(StartedAccount begun, string account, string why)
    {
        using var signIn = SignInOf(begun);
        var failure = await Assert.ThrowsAsync<MailException>(() => signIn.ReadAsync(Token).AsTask());
        Assert.Equal(FailureKind.Authentication, failure.Kind);
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
        Assert.EndsWith($"; run 'imapsync-fleet login 'all moves' {account} source'", failure.Message, StringComparison.Ordinal);
        Assert.All(server.Secrets, s => Assert.DoesNotContain(s, failure.Message, StringComparison.Ordinal));
    }
}

public sealed class SqliteSignInTests : SignInContract
{
    protected override Task<FleetStore> OpenStoreAsync(FleetTimes times) => FleetStore.OpenFileAsync(Path.Combine(Directory, "fleet.db"), times, Token);
}

[Collection(PostgresCollection.Name)]
public sealed class PostgresSignInTests(PostgresFixture postgres) : SignInContract
{
    protected override async Task<FleetStore> OpenStoreAsync(FleetTimes times) => await FleetStore.OpenPostgresAsync(await postgres.NewDatabaseAsync(), times, Token);
}
