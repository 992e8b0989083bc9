using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Jobs;

/// <summary>
/// A glob over folder paths as text: <c>*</c> any characters within a level, <c>**</c> any levels, <c>?</c> one character.
/// <c>Lists/**</c> is what lies below Lists, not Lists itself. INBOX matches in any case, all else by octet.
/// </summary>
public sealed class FolderGlob
{
    private readonly string pattern;

    public FolderGlob(string pattern)
    {
        // FolderPath writes INBOX in capitals, whatever the server does.
        var firstLevel = pattern.Split('/', 2)[0];
        this.pattern = firstLevel.Equals("INBOX", StringComparison.OrdinalIgnoreCase) ? string.Concat("INBOX", pattern.AsSpan(5)) : pattern;
        NamesItsTop = firstLevel.AsSpan().IndexOfAny('*', '?') < 0;
    }

    /// <summary>It says where it begins: <c>Shared/**</c> does, <c>**</c> and <c>*/x</c> do not.</summary>
    public bool NamesItsTop { get; }

    /// <summary>
    /// The pattern is the user's, the name a foreign server's: all ways to fit are followed at once, so that the cost is that of
    /// their lengths multiplied and no more.
    /// </summary>
    public bool Matches(FolderPath path)
    {
        var name = path.ToString();
        // Whether the first so many characters of the name fit the pattern as far as it was read.
        var fits = new bool[name.Length + 1];
        fits[0] = true;
        for (var at = 0; at < pattern.Length; at++)
        {
            if (pattern[at] != '*')
            {
                Step(fits, name, pattern[at]);
                continue;
            }

            var isDeep = pattern.AsSpan(at).StartsWith("**", StringComparison.Ordinal);
            at += isDeep ? 1 : 0;
            for (var i = 1; i <= name.Length; i++)
                fits[i] |= fits[i - 1] && (isDeep || name[i - 1] != '/');
        }

        return fits[name.Length];
    }

    private static void Step(bool[] fits, string name, char wanted)
    {
        for (var i = name.Length; i > 0; i--)
            fits[i] = fits[i - 1] && (wanted == '?' ? name[i - 1] != '/' : name[i - 1] == wanted);
        fits[0] = false;
    }
}
