using Imapsync.Imap;
using Imapsync.Serving.Wire;

namespace Imapsync.Serving.Searching;

/// <summary>A condition on messages (RFC 9051 §6.4.4, with the keys of RFC 3501).</summary>
internal abstract record SearchKey
{
    /// <summary>The cost of checking the condition: the cheap conditions of an AND are checked first.</summary>
    public abstract int Cost { get; }
}

internal sealed record AllKeys(IReadOnlyList<SearchKey> Keys) : SearchKey
{
    public override int Cost => Keys.Count == 0 ? 0 : Keys.Max(k => k.Cost);
}

internal sealed record AnyKey(SearchKey First, SearchKey Second) : SearchKey
{
    public override int Cost => Math.Max(First.Cost, Second.Cost);
}

internal sealed record NotKey(SearchKey Key) : SearchKey
{
    public override int Cost => Key.Cost;
}

internal sealed record FlagKey(MessageFlags System, string? Keyword) : SearchKey
{
    public override int Cost => 0;
}

/// <summary>Matches no message, for RECENT and NEW: no session here is the first to be told of a message.</summary>
internal sealed record NoneKey : SearchKey
{
    public override int Cost => 0;
}

internal sealed record SetKey(SequenceSet Set, bool ByUid) : SearchKey
{
    public override int Cost => 0;
}

/// <summary>Matches messages with more octets than the number, or with fewer.</summary>
internal sealed record SizeKey(long Octets, bool IsLarger) : SearchKey
{
    public override int Cost => 1;
}

/// <param name="IsSent">By the Date field; otherwise by INTERNALDATE.</param>
/// <param name="Sign">Before (-1), on (0), since (1) that day.</param>
internal sealed record DateKey(DateOnly Day, int Sign, bool IsSent) : SearchKey
{
    public override int Cost => IsSent ? 2 : 1;
}

internal sealed record HeaderKey(string Name, string Text) : SearchKey
{
    public override int Cost => 2;
}

/// <param name="WithHeader">TEXT: the header too.</param>
internal sealed record TextKey(string Text, bool WithHeader) : SearchKey
{
    public override int Cost => 3;
}
