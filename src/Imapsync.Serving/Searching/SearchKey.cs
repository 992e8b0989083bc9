using Imapsync.Imap;
using Imapsync.Serving.Wire;

namespace Imapsync.Serving.Searching;

/// <summary>A search condition (RFC 9051 §6.4.4, with the keys of RFC 3501).</summary>
internal abstract record SearchKey
{
    /// <summary>How expensive the key is to test; an AND tests its cheapest keys first.</summary>
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

/// <summary>RECENT and NEW, which match nothing, because this server marks no message as recent.</summary>
internal sealed record NoneKey : SearchKey
{
    public override int Cost => 0;
}

internal sealed record SetKey(SequenceSet Set, bool ByUid) : SearchKey
{
    public override int Cost => 0;
}

/// <summary>LARGER or SMALLER: messages with more, or fewer, octets.</summary>
internal sealed record SizeKey(long Octets, bool IsLarger) : SearchKey
{
    public override int Cost => 1;
}

/// <param name="IsSent">Whether to test the Date field; otherwise INTERNALDATE.</param>
/// <param name="Sign">Before (-1), on (0) or since (1) that day.</param>
internal sealed record DateKey(DateOnly Day, int Sign, bool IsSent) : SearchKey
{
    public override int Cost => IsSent ? 2 : 1;
}

internal sealed record HeaderKey(string Name, string Text) : SearchKey
{
    public override int Cost => 2;
}

/// <param name="WithHeader">Whether to search the header too (TEXT), or only the body (BODY).</param>
internal sealed record TextKey(string Text, bool WithHeader) : SearchKey
{
    public override int Cost => 3;
}
