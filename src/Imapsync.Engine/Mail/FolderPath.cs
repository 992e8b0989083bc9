using System.Collections.Immutable;
using System.Text;

namespace Imapsync.Engine.Mail;

/// <summary>
/// A folder's name as a list of UTF-8 levels, independent of any store's delimiter, prefix or encoding. INBOX, in any case, is the one
/// special name (RFC 9051 §5.1). Other names are compared octet by octet. As text, the levels are joined by <c>/</c>; a <c>/</c> or
/// <c>\</c> inside a level is written <c>\/</c>, <c>\\</c>.
/// </summary>
public sealed class FolderPath : IEquatable<FolderPath>, IComparable<FolderPath>
{
    private readonly string text;

    /// <param name="levels">At least one level, none of them empty.</param>
    public FolderPath(params IEnumerable<string> levels)
    {
        Levels = [.. levels];
        if (Levels.IsEmpty || Levels.Any(string.IsNullOrEmpty))
            throw new ArgumentException("a folder path has at least one level and no empty one", nameof(levels));
        if (Levels[0].Equals("INBOX", StringComparison.OrdinalIgnoreCase))
            Levels = Levels.SetItem(0, "INBOX");
        text = string.Join('/', Levels.Select(Escape));
    }

    public static FolderPath Inbox { get; } = new("INBOX");

    public ImmutableArray<string> Levels { get; }

    public string Name => Levels[^1];

    public FolderPath? Parent => Levels.Length == 1 ? null : new FolderPath(Levels.Take(Levels.Length - 1));

    public bool IsInbox => Levels.Length == 1 && Levels[0] == "INBOX";

    /// <summary>Parses the text form. Empty levels (from a leading, trailing or doubled <c>/</c>) are refused.</summary>
    public static bool TryParse(string text, out FolderPath path)
    {
        var levels = new List<string>();
        var level = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length && text[i + 1] is '/' or '\\')
            {
                level.Append(text[++i]);
            }
            else if (text[i] == '/')
            {
                levels.Add(level.ToString());
                level.Clear();
            }
            else
            {
                level.Append(text[i]);
            }
        }

        levels.Add(level.ToString());
        var good = levels.TrueForAll(l => l.Length > 0);
        path = good ? new FolderPath(levels) : Inbox;
        return good;
    }

    public static FolderPath Parse(string text) =>
        TryParse(text, out var path) ? path : throw new FormatException($"'{text}' is no folder path: a level is empty");

    public FolderPath Child(string level) => new(Levels.Add(level));

    /// <summary>Returns true for the folder itself and everything below it.</summary>
    public bool IsAtOrBelow(FolderPath ancestor) =>
        Levels.Length >= ancestor.Levels.Length
        && Levels.AsSpan(0, ancestor.Levels.Length).SequenceEqual(ancestor.Levels.AsSpan());

    public bool Equals(FolderPath? other) => other is not null && text == other.text;

    public override bool Equals(object? obj) => Equals(obj as FolderPath);

    public override int GetHashCode() => text.GetHashCode(StringComparison.Ordinal);

    public int CompareTo(FolderPath? other) => string.CompareOrdinal(text, other?.text);

    public override string ToString() => text;

    private static string Escape(string level) =>
        level.AsSpan().IndexOfAny('/', '\\') < 0 ? level : level.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("/", "\\/", StringComparison.Ordinal);
}
