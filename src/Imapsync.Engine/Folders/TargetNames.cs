using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Folders;

/// <summary>Alternative names for a folder that can't have its own name at the target. Pure, and the same in every run.</summary>
internal static partial class TargetNames
{
    /// <summary>
    /// Returns the path with everything that some server refuses written as <c>=XX</c>: leading, trailing and doubled blanks, <c>. / \ * %
    /// " ^</c>, a leading <c>~</c> or <c>#</c>.
    /// </summary>
    public static FolderPath Strict(FolderPath path) => new(path.Levels.Select(Strict));

    /// <summary>Joins two levels of a path whose upper level can't hold folders: A/B/C becomes A_B/C for level 1.</summary>
    /// <param name="level">The level that is joined to the one above it; 1 is the second level.</param>
    public static FolderPath Beside(FolderPath path, int level) =>
        new([.. path.Levels[..(level - 1)], $"{path.Levels[level - 1]}_{path.Levels[level]}", .. path.Levels[(level + 1)..]]);

    /// <summary>Appends a number: A/B → A/B (2).</summary>
    public static FolderPath Numbered(FolderPath path, int number) =>
        new([.. path.Levels[..^1], string.Create(CultureInfo.InvariantCulture, $"{path.Name} ({number})")]);

    /// <summary>
    /// Returns a key for names that a server may treat as the same. Names get equal keys if they differ only in case or in leading,
    /// trailing or doubled blanks.
    /// </summary>
    public static string Loose(FolderPath path) =>
        string.Join('/', path.Levels.Select(l => string.Join(' ', l.Split(' ', StringSplitOptions.RemoveEmptyEntries)))).ToUpperInvariant();

    /// <summary>
    /// Returns a key that is the same for a path and for all its alternative names, made by this class or by the target store.
    /// </summary>
    public static string Kin(FolderPath path) =>
        Loose(new FolderPath(string.Join('_', path.Levels.Skip(path.Levels.Length > 1 && path.Levels[0] == "INBOX" ? 1 : 0).Select(l => Number().Replace(Escape().Replace(l, Unescape), "").Replace(" ", "", StringComparison.Ordinal)).Where(l => l.Length > 0)) + "."));

    /// <summary>Returns a key that is equal for a path and the same path with its levels joined by dots.</summary>
    public static string Flat(FolderPath path) => string.Join('.', path.Levels);

    private static string Strict(string level)
    {
        var name = new StringBuilder();
        for (var i = 0; i < level.Length; i++)
        {
            var isEdge = i == 0 || i == level.Length - 1;
            var isBad = level[i] switch
            {
                ' ' => isEdge || level[i - 1] == ' ',
                '~' or '#' => i == 0,
                '.' or '/' or '\\' or '*' or '%' or '"' or '^' => true,
                '=' => Escape().IsMatch(level[i..Math.Min(i + 3, level.Length)]),
                _ => false,
            };
            if (isBad)
                name.Append(CultureInfo.InvariantCulture, $"={(int)level[i]:X2}");
            else
                name.Append(level[i]);
        }

        return name.ToString();
    }

    private static string Unescape(Match escape) =>
        ((char)byte.Parse(escape.ValueSpan[1..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)).ToString();

    [GeneratedRegex("[%=][0-9A-F]{2}")]
    private static partial Regex Escape();

    [GeneratedRegex(@"( \([0-9]+\))+(?=_|$)")]
    private static partial Regex Number();
}
