using System.Buffers;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>Decides by PERMANENTFLAGS which flags a folder can store. Flags that the server would drop or refuse are not sent, and are reported.</summary>
internal sealed class StorableFlags(SelectedFolder selected)
{
    private static readonly SearchValues<char> NoAtom = SearchValues.Create("(){%*\"\\]");

    private readonly FlagSet? permanent = selected.PermanentFlags;

    public bool IsReadOnly => selected.IsReadOnly;

    /// <param name="lost">The names of the flags left out; null if none was.</param>
    public FlagSet Keep(FlagSet flags, out string? lost)
    {
        lost = null;
        if (flags.IsEmpty)
            return flags;
        var system = permanent is null ? flags.System : flags.System & permanent.System;
        if (system == flags.System && flags.Keywords.All(IsStorable))
            return flags;
        var kept = FlagSet.Create(system, flags.Keywords.Where(IsStorable));
        lost = flags.Except(kept).ToString();
        return kept;
    }

    /// <summary>
    /// Returns whether a keyword can be stored: it has to be an atom (RFC 9051 §9), and already known to the folder unless the folder accepts new
    /// ones (<c>\*</c>).
    /// </summary>
    private bool IsStorable(string keyword) =>
        IsAtom(keyword)
        && (permanent is null || selected.AllowsNewKeywords || permanent.Keywords.Contains(keyword, StringComparer.OrdinalIgnoreCase));

    private static bool IsAtom(string keyword) =>
        keyword.Length > 0 && keyword.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0 && keyword.AsSpan().IndexOfAny(NoAtom) < 0;
}
