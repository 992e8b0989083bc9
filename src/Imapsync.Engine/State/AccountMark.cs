using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.State;

/// <summary>
/// The <c>accounts</c> piece of the job's state. It identifies the source and target accounts to which the job's records belong. UIDVALIDITY does not
/// distinguish accounts, since at many providers the UIDVALIDITY of INBOX is 1 in every account. If a job used the records of another account, mail
/// that was never copied would look copied.
/// </summary>
internal static class AccountMark
{
    private const string Magic = "imapsync-accounts 1";
    private const int MaxFileBytes = 4096;

    /// <summary>
    /// Returns which side of the job (source, target or both) is now another account than the one that the job's records belong to. Returns
    /// null if neither is, or if the state does not identify the accounts.
    /// </summary>
    /// <exception cref="CheckpointException">The state can't be read.</exception>
    public static async Task<AccountChange?> FindChangeAsync(IStateMedium state, Endpoint source, Endpoint target, CancellationToken cancellationToken)
    {
        if (await ReadAsync(state, cancellationToken) is not { } octets)
            return null;
        var lines = Encoding.UTF8.GetString(octets).Split('\n');
        // Content that can't be read identifies no account, so both accounts count as changed.
        var isSource = lines[0] == Magic && lines.Contains(SourceLine(source));
        var isTarget = lines[0] == Magic && lines.Contains(TargetLine(target));
        return isSource && isTarget ? null : new AccountChange(OfSource: !isSource, OfTarget: !isTarget);
    }

    /// <summary>
    /// Deletes the job's records of all messages. If the target is another account now, also deletes the record of which folders the
    /// messages in the trash folder came from.
    /// </summary>
    /// <exception cref="CheckpointException">The state can't be changed.</exception>
    public static async Task ForgetAsync(IStateMedium state, ICheckpointStore checkpoints, AccountChange change, CancellationToken cancellationToken)
    {
        await checkpoints.SaveSummariesAsync([], cancellationToken);
        List<StateName> names = [.. (await checkpoints.FindPairsAsync(cancellationToken)).Select(StateName.Journal)];
        if (change.OfTarget)
            names.Add(StateName.TrashOrigins);
        foreach (var name in names)
        {
            try
            {
                await state.RemoveAsync(name, cancellationToken);
            }
            catch (Exception e) when (FileErrors.Is(e))
            {
                throw new CheckpointException($"{state.Where(name)} can't be removed: {FileErrors.Explain(e)}", e);
            }
        }
    }

    /// <summary>Records that the job's records belong to these accounts from now on. Writes nothing if the state already says so.</summary>
    /// <exception cref="CheckpointException">The state can't be read or written.</exception>
    public static async Task SetAsync(IStateMedium state, Endpoint source, Endpoint target, CancellationToken cancellationToken)
    {
        var text = Encoding.UTF8.GetBytes($"{Magic}\n{SourceLine(source)}\n{TargetLine(target)}\n");
        try
        {
            if (await ReadAsync(state, cancellationToken) is not { } known || !known.AsSpan().SequenceEqual(text))
                await state.ReplaceAsync(StateName.Accounts, text, cancellationToken);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw new CheckpointException($"{state.Where(StateName.Accounts)} can't be written: {FileErrors.Explain(e)}", e);
        }
    }

    private static async Task<byte[]?> ReadAsync(IStateMedium state, CancellationToken cancellationToken)
    {
        try
        {
            return await state.ReadAllAsync(StateName.Accounts, MaxFileBytes, cancellationToken);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw new CheckpointException($"{state.Where(StateName.Accounts)} can't be read: {FileErrors.Explain(e)}", e);
        }
    }

    private static string SourceLine(Endpoint source) => "source " + DigestOf(NameOf(source));

    /// <summary>
    /// Returns the mark's line about the target. A backup's path is left out of it, since a backup keeps its UIDs when it is moved to another
    /// directory.
    /// </summary>
    private static string TargetLine(Endpoint target) => "target " + DigestOf(target.Place is null ? NameOf(target) : "");

    /// <summary>
    /// Returns the account's name. The port is not part of it, unless the host is this machine, whose ports may be tunnels to different
    /// servers.
    /// </summary>
    private static string NameOf(Endpoint endpoint) => endpoint is ServerEndpoint { IsOnThisMachine: false } server ? server.Account : endpoint.Place ?? endpoint.Identity;

    private static string DigestOf(string name) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16));
}

/// <summary>Which sides of a job are other accounts than in earlier runs: the source, the target, or both.</summary>
internal readonly record struct AccountChange(bool OfSource, bool OfTarget)
{
    /// <summary>Returns a clause for people that says which sides are other accounts; further words can be appended to it.</summary>
    public override string ToString() => (OfSource, OfTarget) switch
    {
        (true, false) => "the source is another account than in earlier runs",
        (false, true) => "the target is another account than in earlier runs",
        _ => "source and target are other accounts than in earlier runs",
    };
}
