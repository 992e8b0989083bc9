using System.Security.Cryptography;
using Imapsync.Engine.Jobs;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Model;

/// <summary>Whether a message is to be found at the target once a run has ended well.</summary>
internal enum Presence
{
    Must,

    /// <summary>It depends on how far a run came that did not end well.</summary>
    May,
    Not,
}

/// <summary>One message of the source, or once of the source, or a delivery to the target: what it is, and what the target has to show of it.</summary>
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

    /// <summary>As the source shows them.</summary>
    public SortedSet<string> Flags { get; }

    /// <summary>Folders of the target where it may be.</summary>
    public HashSet<string> Places { get; } = new(StringComparer.Ordinal);

    public Presence Presence { get; set; } = Presence.Must;

    /// <summary>No run has seen it yet.</summary>
    public bool IsFresh { get; private set; } = true;

    /// <summary>A run that ended well has seen it.</summary>
    public bool IsSettled { get; private set; }

    /// <summary>Its folder was renamed after the last run that ended well.</summary>
    public bool IsNewlyMoved { get; private set; }

    /// <summary>It left the source after the last run that ended well.</summary>
    public bool IsNewlyGone { get; set; }

    public SnapshotMessage AtSource => new(Digest, Length, SnapshotMessage.Canonical(Flags), Date);

    /// <param name="octets">As IMAP shows them.</param>
    public static ModelMessage Of(ReadOnlySpan<byte> octets, DateTimeOffset date, IEnumerable<string> flags, string folder, FlagPolicy policy) =>
        new(Convert.ToHexStringLower(SHA256.HashData(octets)), octets.Length, date, flags, folder, policy);

    /// <summary>What is left behind in its old folder when the target did not follow a rename.</summary>
    public ModelMessage LeftBehind(string folder)
    {
        var copy = new ModelMessage(Digest, Length, Date, [], folder, policy) { Presence = Presence.May, IsFresh = false, IsSettled = IsSettled };
        copy.may.UnionWith(must.Concat(may).Concat(removedSinceOk).Concat(policy == FlagPolicy.Exact ? TargetUsers.Flags : []));
        return copy;
    }

    /// <param name="isCertain">The target shows what the source showed before this change.</param>
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

    /// <summary>A user of the target did this. With exact flags it is undone.</summary>
    public void ChangeAtTarget(string flag, bool add)
    {
        if (policy == FlagPolicy.Exact)
            return;
        may.Remove(flag);
        _ = add ? must.Add(flag) : must.Remove(flag);
    }

    /// <summary>Its UID is void: the target's flags have no past to be compared with.</summary>
    public void Renumber()
    {
        if (policy == FlagPolicy.Follow && !IsFresh)
            may.UnionWith(removedSinceOk.Except(must));
    }

    /// <summary>It may have to be copied anew: then what the target's users did to the old copy stays there.</summary>
    public void Recopy()
    {
        Renumber();
        IsNewlyMoved = true;
        may.UnionWith(must.Union(Flags));
        must.IntersectWith(Flags);
        may.ExceptWith(must);
    }

    /// <summary>It left the source: what of its last changes came to the target depends.</summary>
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
