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

    public bool Matches(FolderPath path) => Glob.Matches(pattern, path.ToString(), '/');
}
