using System.Text;

namespace Imapsync.Imap.Wire;

/// <summary>Reads flag lists; a list seen before costs no allocation. Use one reader for each command; not thread-safe.</summary>
internal sealed class FlagReader(ImapLimits limits)
{
    private const int MaxCached = 4096;
    private const int MaxCachedLength = 512;

    private readonly Dictionary<string, FlagSet> known = [];
    private long octets;

    /// <summary>Reads a list in parentheses, or NIL for an empty one. Quoted names are accepted.</summary>
    public FlagSet Read(ref Tokenizer tokens)
    {
        if (tokens.Next().Kind != TokenKind.Open)
            return FlagSet.Empty;
        var raw = tokens.TakeList();
        if (raw.Length > MaxCachedLength)
            return Parse(raw);
        Span<char> key = stackalloc char[raw.Length];
        Encoding.Latin1.GetChars(raw, key);
        var lookup = known.GetAlternateLookup<ReadOnlySpan<char>>();
        if (lookup.TryGetValue(key, out var flags))
            return flags;
        flags = Parse(raw);
        if (known.Count < MaxCached)
            lookup[key] = flags;
        return flags;
    }

    private FlagSet Parse(ReadOnlySpan<byte> raw)
    {
        octets += raw.Length;
        if (octets > limits.MaxFlagBytes)
            throw new ImapProtocolException($"the server sent more than {limits.MaxFlagBytes} octets of flags that differ");
        var names = new List<string>();
        var tokens = new Tokenizer(raw);
        for (var token = tokens.Next(); token.Kind != TokenKind.End && names.Count < limits.MaxFlags; token = tokens.Next())
        {
            if (token.IsString && !token.IsNil && token.Raw.Length > 0 && token.Raw.Length <= limits.MaxFlagLength)
                names.Add(token.ToText());
        }

        return FlagSet.Parse(names);
    }
}
