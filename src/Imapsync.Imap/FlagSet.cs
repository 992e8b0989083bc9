using System.Collections.Immutable;

namespace Imapsync.Imap;

/// <summary>The system flags of RFC 9051 §2.3.2 that a client may set. \Recent belongs to the server and is never copied.</summary>
[Flags]
public enum MessageFlags : byte
{
    None = 0,
    Seen = 1,
    Answered = 2,
    Flagged = 4,
    Deleted = 8,
    Draft = 16,
}

/// <summary>
/// The flags and keywords of one message: immutable and compared by value. Keywords are compared without regard to case (RFC 9051 §2.3.2),
/// but keep their case. When holding many messages, pool the sets (<see cref="FlagSetPool"/>), because a folder contains few distinct ones.
/// </summary>
public sealed class FlagSet : IEquatable<FlagSet>
{
    private static readonly (MessageFlags Flag, string Name)[] SystemNames =
    [
        (MessageFlags.Seen, "\\Seen"), (MessageFlags.Answered, "\\Answered"), (MessageFlags.Flagged, "\\Flagged"),
        (MessageFlags.Deleted, "\\Deleted"), (MessageFlags.Draft, "\\Draft"),
    ];

    private static readonly FlagSet[] WithoutKeywords = [.. Enumerable.Range(0, 1 << SystemNames.Length).Select(s => new FlagSet((MessageFlags)s, []))];

    private readonly int hash;
    private string? text;

    private FlagSet(MessageFlags system, ImmutableArray<string> keywords)
    {
        System = system;
        Keywords = keywords;
        var h = new HashCode();
        h.Add(system);
        foreach (var keyword in keywords)
            h.Add(keyword, StringComparer.OrdinalIgnoreCase);
        hash = h.ToHashCode();
    }

    public static FlagSet Empty => WithoutKeywords[0];

    public MessageFlags System { get; }

    /// <summary>The keywords, sorted without regard to case and without duplicates.</summary>
    public ImmutableArray<string> Keywords { get; }

    public bool IsEmpty => System == MessageFlags.None && Keywords.IsEmpty;

    public static FlagSet Create(MessageFlags system, IEnumerable<string>? keywords = null)
    {
        ImmutableArray<string> sorted = keywords is null ? [] : [.. keywords];
        // Keywords that were stored before are usually sorted already, so only check their order and sort if it is wrong.
        for (var i = 1; i < sorted.Length; i++)
        {
            if (StringComparer.OrdinalIgnoreCase.Compare(sorted[i - 1], sorted[i]) >= 0)
            {
                sorted = [.. sorted.Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase)];
                break;
            }
        }

        return sorted.IsEmpty ? WithoutKeywords[(int)system] : new FlagSet(system, sorted);
    }

    /// <summary>
    /// Reads flag names in wire form: <c>\Seen</c>, <c>$Label1</c>. <c>\Forwarded</c> becomes <c>$Forwarded</c> (RFC 5788). Other
    /// backslash flags that RFC 9051 lets no client set, such as \Recent and \*, are dropped.
    /// </summary>
    public static FlagSet Parse(IEnumerable<string> names)
    {
        var system = MessageFlags.None;
        List<string>? keywords = null;
        foreach (var name in names)
        {
            if (!name.StartsWith('\\'))
                (keywords ??= []).Add(name);
            else if (name.Equals("\\Forwarded", StringComparison.OrdinalIgnoreCase))
                (keywords ??= []).Add("$Forwarded");
            else
                system |= Array.Find(SystemNames, s => s.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Flag;
        }

        return Create(system, keywords);
    }

    /// <summary>The names in wire form, system flags first.</summary>
    public IEnumerable<string> Names => SystemNames.Where(s => System.HasFlag(s.Flag)).Select(s => s.Name).Concat(Keywords);

    public FlagSet Union(FlagSet other) => other.IsEmpty ? this : Create(System | other.System, Keywords.Concat(other.Keywords));

    public FlagSet Except(FlagSet other)
    {
        if (other.IsEmpty)
            return this;
        return ReferenceEquals(this, other)
            ? Empty
            : Create(System & ~other.System, Keywords.Except(other.Keywords, StringComparer.OrdinalIgnoreCase));
    }

    public bool Equals(FlagSet? other) =>
        ReferenceEquals(this, other)
        || (other is not null && hash == other.hash && System == other.System
            && Keywords.AsSpan().SequenceEqual(other.Keywords.AsSpan(), StringComparer.OrdinalIgnoreCase));

    public override bool Equals(object? obj) => Equals(obj as FlagSet);

    public override int GetHashCode() => hash;

    /// <summary>Returns the names separated by blanks, as inside the parentheses of FLAGS.</summary>
    public override string ToString() => text ??= string.Join(' ', Names);
}

/// <summary>Keeps one instance of each distinct flag set, so that each message needs only a reference to it. Not thread-safe.</summary>
public sealed class FlagSetPool
{
    private readonly Dictionary<FlagSet, FlagSet> sets = [];

    public FlagSet Intern(FlagSet flags)
    {
        if (sets.TryGetValue(flags, out var known))
            return known;
        sets.Add(flags, flags);
        return flags;
    }
}
