using System.Security.Cryptography;
using Imapsync.Engine.Jobs;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Model;

/// <summary>Whether a message must, may or must not be at the target after a successful run.</summary>
internal enum Presence
{
    Must,

    /// <summary>The message's presence depends on how far an unsuccessful run came.</summary>
    May,
    Not,
}

/// <summary>
/// A message that is or was at the source, or was delivered to the target. Holds the flags and folders that the target must or may show for
/// it.
/// </summary>
internal sealed class ModelMessage
{
    private readonly FlagPolicy policy;
    private readonly HashSet<string> must = new(StringComparer.Ordinal);
    private readonly HashSet<string> may = new(StringComparer.Ordinal);
    private readonly HashSet<string> removedSinceOk = new(StringComparer.Ordinal);
    private readonly HashSet<string> changedSinceOk = new(StringComparer.Ordinal);

    private ModelMessage(string digest, long length, DateTimeOffset date, IEnumerable<string> flags, string folder, FlagPolicy policy)
    {
        (Digest, Length, Date, this.policy) = (digest, length, date, policy);
        Flags = new SortedSet<string>(flags, StringComparer.Ordinal);
        must.UnionWith(Flags);
        Places.Add(folder);
    }

    public string Digest { get; }

    public long Length { get; }

    public DateTimeOffset Date { get; }

    /// <summary>The flags as the source shows them.</summary>
    public SortedSet<string> Flags { get; }

    /// <summary>The target folders in which the message may be.</summary>
    public HashSet<string> Places { get; } = new(StringComparer.Ordinal);

    public Presence Presence { get; set; } = Presence.Must;

    /// <summary>Whether no run has seen the message yet.</summary>
    public bool IsFresh { get; private set; } = true;

    /// <summary>Whether a successful run has seen the message.</summary>
    public bool IsSettled { get; private set; }

    /// <summary>Whether its folder was renamed after the last successful run.</summary>
    public bool IsNewlyMoved { get; private set; }

    /// <summary>Whether the message left the source after the last successful run.</summary>
    public bool IsNewlyGone { get; set; }

    public SnapshotMessage AtSource => new(Digest, Length, SnapshotMessage.Canonical(Flags), Date);

    /// <param name="octets">The message as IMAP shows it.</param>
    public static ModelMessage Of(ReadOnlySpan<byte> octets, DateTimeOffset date, IEnumerable<string> flags, string folder, FlagPolicy policy) =>
        new(Convert.ToHexStringLower(SHA256.HashData(octets)), octets.Length, date, flags, folder, policy);

    /// <summary>Returns the copy that stays in the old folder when the target did not rename the folder.</summary>
    public ModelMessage LeftBehind(string folder)
    {
        var copy = new ModelMessage(Digest, Length, Date, [], folder, policy) { Presence = Presence.May, IsFresh = false, IsSettled = IsSettled };
        copy.may.UnionWith(must.Concat(may).Concat(removedSinceOk).Concat(policy == FlagPolicy.Exact ? TargetUsers.Flags : []));
        return copy;
    }

    /// <param name="isCertain">Whether the target certainly shows the flags as they were before this change.</param>
    public void Change(string flag, bool add, bool isCertain)
    {
        if (!(add ? Flags.Add(flag) : Flags.Remove(flag)))
            return;
        changedSinceOk.Add(flag);
        if (!add)
            removedSinceOk.Add(flag);
        if (policy == FlagPolicy.Once && !IsFresh)
        {
            if (!IsSettled || IsNewlyMoved)
                Doubt(flag);
            return;
        }

        may.Remove(flag);
        if (add)
            must.Add(flag);
        else if (must.Remove(flag) && policy == FlagPolicy.Follow && !isCertain && !IsFresh)
            may.Add(flag);
    }

    /// <summary>Records a flag change by a user of the target. With exact flags, the next run undoes the change.</summary>
    public void ChangeAtTarget(string flag, bool add)
    {
        if (policy == FlagPolicy.Exact)
            return;
        may.Remove(flag);
        _ = add ? must.Add(flag) : must.Remove(flag);
    }

    /// <summary>Records that the message gets a new UID. So there is no record with which the target's flags can be compared.</summary>
    public void Renumber()
    {
        if (policy == FlagPolicy.Follow && !IsFresh)
            may.UnionWith(removedSinceOk.Except(must));
    }

    /// <summary>Records that the message may be copied again. Flags that users changed at the target then stay on the old copy.</summary>
    public void Recopy()
    {
        Renumber();
        IsNewlyMoved = true;
        may.UnionWith(must.Union(Flags));
        must.IntersectWith(Flags);
        may.ExceptWith(must);
    }

    /// <summary>Records that the message left the source. Its last flag changes may or may not have reached the target.</summary>
    public void Leave()
    {
        IsNewlyGone = true;
        foreach (var flag in changedSinceOk)
            Doubt(flag);
        if (policy == FlagPolicy.Exact)
            may.UnionWith(TargetUsers.Flags);
    }

    public void AfterRun(bool wasOk, bool isAtSource)
    {
        IsFresh = false;
        if (!wasOk)
            return;
        IsSettled |= isAtSource;
        IsNewlyGone = IsNewlyMoved = false;
        removedSinceOk.Clear();
        changedSinceOk.Clear();
    }

    public bool Fits(string folder, SnapshotMessage actual)
    {
        var flags = actual.Flags.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return Places.Contains(folder) && actual.InternalDate == Date && must.IsSubsetOf(flags) && Array.TrueForAll(flags, f => must.Contains(f) || may.Contains(f));
    }

    public override string ToString() =>
        $"{Digest[..12]}… {Length} octets ({string.Join(' ', must)}{(may.Count > 0 ? $", perhaps {string.Join(' ', may)}" : "")}) {Date.UtcDateTime:yyyy-MM-dd HH:mm:ss} in {string.Join(" or ", Places)}";

    private void Doubt(string flag)
    {
        must.Remove(flag);
        may.Add(flag);
    }
}
