using System.Text;
using System.Text.RegularExpressions;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Copying;

/// <summary>
/// A glob over folder paths as text: <c>*</c> any characters within a level, <c>**</c> any levels, <c>?</c> one character.
/// <c>Lists/**</c> is what lies below Lists, not Lists itself. INBOX matches in any case, all else by octet.
/// </summary>
public sealed class FolderGlob
{
    private readonly Regex regex;

    public FolderGlob(string pattern)
    {
        // FolderPath writes INBOX in capitals, whatever the server does.
        var firstLevel = pattern.Split('/', 2)[0];
        if (firstLevel.Equals("INBOX", StringComparison.OrdinalIgnoreCase))
            pattern = string.Concat("INBOX", pattern.AsSpan(5));

        NamesItsTop = firstLevel.AsSpan().IndexOfAny('*', '?') < 0;
        var expression = new StringBuilder("^");
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern.AsSpan(i).StartsWith("**", StringComparison.Ordinal))
            {
                expression.Append(".*");
                i++;
            }
            else
            {
                expression.Append(pattern[i] switch
                {
                    '*' => "[^/]*",
                    '?' => "[^/]",
                    var c => Regex.Escape(c.ToString()),
                });
            }
        }

        // NonBacktracking: the pattern is the user's, the name a foreign server's, and neither may cost exponential time.
        regex = new Regex(
            expression.Append('$').ToString(),
            RegexOptions.NonBacktracking | RegexOptions.Singleline | RegexOptions.CultureInvariant);
    }

    /// <summary>It says where it begins: <c>Shared/**</c> does, <c>**</c> and <c>*/x</c> do not.</summary>
    public bool NamesItsTop { get; }

    public bool Matches(FolderPath path) => regex.IsMatch(path.ToString());
}
