using System.Text;

namespace Imapsync.Imap.Wire;

/// <summary>Reads flag lists; a list seen before costs no allocation. One for each command, not thread-safe.</summary>
internal sealed class FlagReader
{
    private const int MaxCached = 4096;
    private const int MaxCachedLength = 512;

    private readonly Dictionary<string, FlagSet> known = [];

    /// <summary>A list in parentheses, or NIL for none. Quoted names are read as names.</summary>
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

    private static FlagSet Parse(ReadOnlySpan<byte> raw)
    {
        var names = new List<string>();
        var tokens = new Tokenizer(raw);
        for (var token = tokens.Next(); token.Kind != TokenKind.End; token = tokens.Next())
        {
            if (token.IsString && !token.IsNil && token.Raw.Length > 0)
                names.Add(token.ToText());
        }

        return FlagSet.Parse(names);
    }
}
