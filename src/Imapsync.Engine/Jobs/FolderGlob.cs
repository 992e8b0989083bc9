using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Jobs;

/// <summary>
/// A glob for folder paths: <c>*</c> matches any characters within a level, <c>**</c> any levels, <c>?</c> one character. <c>Lists/**</c>
/// matches everything below Lists, but not Lists itself. INBOX matches in any case, all other names exactly.
/// </summary>
public sealed class FolderGlob
{
    private readonly string pattern;

    public FolderGlob(string pattern)
    {
        // FolderPath always writes INBOX in upper case, so the pattern must do so too.
        var firstLevel = pattern.Split('/', 2)[0];
        this.pattern = firstLevel.Equals("INBOX", StringComparison.OrdinalIgnoreCase) ? string.Concat("INBOX", pattern.AsSpan(5)) : pattern;
        NamesItsTop = firstLevel.AsSpan().IndexOfAny('*', '?') < 0;
    }

    /// <summary>Whether the first level of the pattern is literal: true for <c>Shared/**</c>, false for <c>**</c> and <c>*/x</c>.</summary>
    public bool NamesItsTop { get; }

    public bool Matches(FolderPath path) => Glob.Matches(pattern, path.ToString(), '/');
}
