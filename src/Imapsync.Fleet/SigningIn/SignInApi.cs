using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Threading.Channels;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Mail;
using Imapsync.Engine.SigningIn;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Serving;
using Imapsync.Fleet.Submitting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Imapsync.Fleet.SigningIn;

/// <summary>
/// The part of the API by which a person signs in to an account. The server talks to the OAuth provider and stores the refresh token.
/// </summary>
internal static class SignInApi
{
    /// <summary>
    /// How often an empty event is sent while the server waits for the person. Otherwise a proxy or firewall might close the idle
    /// connection.
    /// </summary>
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(15);

    /// <param name="api">The API's route group, which requires an API token for each request.</param>
    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/accounts/{account:long}/sign-ins", ListAsync).WithSummary("The sides of an account that sign in by OAuth, and when a person has signed in. No token is shown.");
        api.MapPost("/accounts/{account:long}/sign-ins/{side}", BeginAsync).RequireAuthorization(nameof(Role.Operate))
            .Produces<SignInEvent>(StatusCodes.Status200OK, "text/event-stream").Produces(StatusCodes.Status404NotFound).Produces<Refusal>(StatusCodes.Status422UnprocessableEntity)
            .WithSummary("Lets a person sign in to one side of an account, source or target. What the person has to do is told as server-sent events; closing the connection ends it.");
        api.MapDelete("/accounts/{account:long}/sign-ins/{side}", EndAsync).RequireAuthorization(nameof(Role.Operate))
            .WithSummary("Forgets the sign-in of one side of an account, and revokes it where the provider has a way to.");
    }

    private static async Task<Results<Ok<IReadOnlyList<SignInView>>, NotFound, UnprocessableEntity<Refusal>>> ListAsync(long account, FleetStore store, BatchReader reader, SignIns signIns, CancellationToken cancellationToken)
    {
        try
        {
            if (await ReadAsync(account, store, reader, signIns, cancellationToken) is not { } sides)
                return TypedResults.NotFound();
            var views = new List<SignInView>();
            foreach (var (side, signIn) in sides)
                views.Add(new SignInView(side, signIn.ProviderName, signIn.NeedsPerson, (await signIns.FindAsync(account, side, cancellationToken))?.SignedIn));
            return TypedResults.Ok<IReadOnlyList<SignInView>>(views);
        }
        catch (ConfigurationException e)
        {
            return Refuse(e);
        }
    }

    private static async Task<IResult> BeginAsync(long account, string side, FleetStore store, BatchReader reader, SignIns signIns, IHostApplicationLifetime lifetime, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            return await FindAsync(account, side, store, reader, signIns, cancellationToken) is { } signIn
                ? TypedResults.ServerSentEvents(FollowAsync(signIn, time, lifetime.ApplicationStopping, cancellationToken))
                : TypedResults.NotFound();
        }
        catch (ConfigurationException e)
        {
            return Refuse(e);
        }
    }

    private static async Task<Results<Ok<SignOutAnswer>, NotFound, UnprocessableEntity<Refusal>>> EndAsync(long account, string side, FleetStore store, BatchReader reader, SignIns signIns, CancellationToken cancellationToken)
    {
        try
        {
            return await FindAsync(account, side, store, reader, signIns, cancellationToken) is { } signIn ? TypedResults.Ok(new SignOutAnswer(await signIn.SignOutAsync(cancellationToken))) : TypedResults.NotFound();
        }
        catch (ConfigurationException e)
        {
            return Refuse(e);
        }
    }

    private static async IAsyncEnumerable<SseItem<SignInEvent>> FollowAsync(OAuthSignIn signIn, TimeProvider time, CancellationToken stopping, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
        var lines = Channel.CreateUnbounded<SignInEvent>();
        var signing = SignInAsync();
        try
        {
            while (await HasLineAsync())
                yield return new SseItem<SignInEvent>(lines.Reader.TryRead(out var line) ? line : new SignInEvent());
        }
        finally
        {
            await stop.CancelAsync();
            await signing;
        }

        async Task SignInAsync()
        {
            try
            {
                await signIn.SignInAsync(new SignInDialogue(text => lines.Writer.TryWrite(new SignInEvent { Text = text })), KeyPlace.Best, stop.Token);
                lines.Writer.TryWrite(new SignInEvent { IsSignedIn = true });
            }
            catch (OperationCanceledException)
            {
                lines.Writer.TryWrite(new SignInEvent { Problem = "the server ends" });
            }
            catch (Exception e) when (e is MailException or IOException)
            {
                lines.Writer.TryWrite(new SignInEvent { Problem = e.Message });
            }
            finally
            {
                // End the events after an unexpected exception too, because the person would otherwise wait forever.
                lines.Writer.Complete();
            }
        }

        // Waits for the next event. False after the last event. True also if none came for a while, so that the caller sends an empty
        // event.
        async Task<bool> HasLineAsync()
        {
            var next = lines.Reader.WaitToReadAsync(CancellationToken.None).AsTask();
            return await Task.WhenAny(next, Task.Delay(Beat, time, CancellationToken.None)) != next || await next;
        }
    }

    private static async Task<OAuthSignIn?> FindAsync(long account, string side, FleetStore store, BatchReader reader, SignIns signIns, CancellationToken cancellationToken) =>
        (await ReadAsync(account, store, reader, signIns, cancellationToken))?.Where(s => s.Side == side && s.SignIn.NeedsPerson).Select(s => s.SignIn).SingleOrDefault();

    /// <summary>Returns the sides (source or target) of an account that sign in by OAuth; null if there is no such account.</summary>
    /// <exception cref="ConfigurationException"/>
    private static async Task<IReadOnlyList<(string Side, OAuthSignIn SignIn)>?> ReadAsync(long account, FleetStore store, BatchReader reader, SignIns signIns, CancellationToken cancellationToken)
    {
        if (await store.ReadRowAsync(account, cancellationToken) is not { } row)
            return null;
        try
        {
            return [.. SignIns.SidesOf(signIns.Join(reader.Rebuild(row.Job, row.Cells), row.Batch, account, writer: null))];
        }
        catch (CryptographicException)
        {
            throw new ConfigurationException([new(new SettingOrigin(row.Batch), "the list can't be read with the keys of this server", "every process of a fleet needs the same --data directory")]);
        }
    }

    private static UnprocessableEntity<Refusal> Refuse(ConfigurationException e) => TypedResults.UnprocessableEntity(new Refusal("the account can't be signed in to", [.. e.Errors.Select(x => x.ToString())]));
}

/// <summary>A side of an account that signs in by OAuth.</summary>
/// <param name="Side">source or target.</param>
/// <param name="NeedsPerson">Whether a person has to sign in; false if the settings in the list are enough to get tokens.</param>
/// <param name="SignedIn">When a person signed in, in milliseconds since 1970; null if nobody has signed in yet.</param>
internal sealed record SignInView(string Side, string Provider, bool NeedsPerson, long? SignedIn);

/// <summary>
/// An event while a person signs in. An event with no property set means that the server is still waiting for the person.
/// </summary>
internal sealed record SignInEvent
{
    /// <summary>What the person has to do.</summary>
    public string? Text { get; init; }

    /// <summary>Whether the person has signed in and the token is stored. This is true in the last event only.</summary>
    public bool IsSignedIn { get; init; }

    /// <summary>Why the sign-in failed; null if it did not. An event with a problem is the last event.</summary>
    public string? Problem { get; init; }
}

internal sealed record SignOutAnswer(SignOutOutcome Outcome);
