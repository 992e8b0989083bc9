using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.SigningIn;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.State;
using Imapsync.Fleet.Submitting;
using Endpoint = Imapsync.Engine.Mail.Endpoint;

namespace Imapsync.Fleet.SigningIn;

/// <summary>Makes a job use the sign-ins stored in the database, if it has an account to which a person has to sign in.</summary>
internal sealed class SignIns(SignInTables tables, Seal seal, TimeProvider time)
{
    public const string Source = "source";
    public const string Target = "target";

    private static readonly Dictionary<string, long> EmptyNumbers = [];

    /// <summary>
    /// Returns the job of an account, connected with its stored sign-ins. Errors about a missing sign-in name the command that signs in.
    /// </summary>
    /// <param name="list">The name of the account's list; null if it has none yet.</param>
    /// <param name="account">Null if the account was not submitted yet, so that nobody can have signed in.</param>
    /// <param name="writer">The attempt that runs the account; null for a check.</param>
    public JobDefinition Join(JobDefinition job, string? list, long? account, StateWriter? writer)
    {
        return job with { Source = Side(job.Source, Source), Target = Side(job.Target, Target) };

        Endpoint Side(Endpoint endpoint, string side) => SignInOf(endpoint) is { NeedsPerson: true } signIn
            ? ((ServerEndpoint)endpoint) with { Password = signIn.KeptIn(KeeperOf(CommandFor(list, job.Name, side), account, side, writer)) }
            : endpoint;
    }

    /// <summary>Connects all jobs of a list with their stored sign-ins, to check the list.</summary>
    /// <param name="list">The list's name, whether or not it was submitted already; null if it has none.</param>
    public async Task<JobFile> JoinAsync(JobFile file, string? list, FleetStore store, CancellationToken cancellationToken)
    {
        if (!file.Jobs.SelectMany(SidesOf).Any(s => s.SignIn.NeedsPerson))
            return file;
        var numbers = list is null ? EmptyNumbers : await store.ReadNumbersAsync(list, cancellationToken);
        return file with { Jobs = [.. file.Jobs.Select(j => Join(j, list, numbers.TryGetValue(j.Name, out var number) ? number : null, writer: null))] };
    }

    /// <summary>Returns the sides of a job, source or target, that sign in by OAuth.</summary>
    public static IEnumerable<(string Side, OAuthSignIn SignIn)> SidesOf(JobDefinition job)
    {
        foreach (var (side, endpoint) in new[] { (Source, job.Source), (Target, job.Target) })
        {
            if (SignInOf(endpoint) is { } signIn)
                yield return (side, signIn);
        }
    }

    public Task<StoredSignIn?> FindAsync(long account, string side, CancellationToken cancellationToken) => tables.FindAsync(account, side, cancellationToken);

    private static OAuthSignIn? SignInOf(Endpoint endpoint) => (endpoint as ServerEndpoint)?.Password as OAuthSignIn;

    private static string CommandFor(string? list, string account, string side) => $"imapsync-fleet login {(list is null ? "LIST" : ShellWord.Quote(list))} {ShellWord.Quote(account)} {side}";

    private ISignInKeeper KeeperOf(string command, long? account, string side, StateWriter? writer) =>
        account is { } number ? new ListedSignIn(tables, seal, number, side, command, writer, time) : new NoSignIn(command);

    /// <summary>Stands for the sign-in of an account that was not submitted yet: there is none, and none can be stored.</summary>
    private sealed class NoSignIn(string command) : ISignInKeeper
    {
        public string Place => "";

        public string Command => command;

        public void RequireUsable() => throw new IOException("the account was not submitted yet");

        public Task<IKeptSignIn?> TakeAsync(string binding, CancellationToken cancellationToken) => Task.FromResult<IKeptSignIn?>(null);

        public Task<string> KeepAsync(string binding, string refreshToken, KeyPlace key) => throw new IOException("the account was not submitted yet");

        public Task<bool> RemoveAsync() => Task.FromResult(false);
    }
}
