using Imapsync.Serving.Mailboxes;
using Imapsync.Serving.Wire;

namespace Imapsync.Serving.Sessions;

/// <summary>A parsed LIST or LSUB command (RFC 9051 §6.3.9, RFC 5258, RFC 5819, RFC 6154).</summary>
internal sealed record ListRequestText
{
    private const int MostPatterns = 100;

    /// <summary>
    /// The maximum total length of all patterns; no folder name is longer. It bounds the time, because each character of a pattern is
    /// compared with every folder's name.
    /// </summary>
    private const int PatternBytes = 8 * 1024;

    /// <summary>The patterns, each with the reference as prefix.</summary>
    public required IReadOnlyList<string> Patterns { get; init; }

    public bool OnlySubscribed { get; init; }

    public bool OnlySpecial { get; init; }

    public bool ShowsSubscribed { get; init; }

    /// <summary>The STATUS items to return for each folder.</summary>
    public IReadOnlyList<string> Status { get; init; } = [];

    public static ListRequestText Parse(CommandText text, bool isLsub)
    {
        text.Skip(' ');
        var selection = !isLsub && text.Peek('(') ? Words(text) : [];
        if (selection.Except(["SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE"]).Any())
            throw new CommandException("there is no such way to select");
        text.TrySkip(' ');
        var reference = text.AString();
        text.Skip(' ');
        var patterns = new List<string>();
        if (!isLsub && text.TrySkip('('))
        {
            do
            {
                patterns.Add(text.ListPattern());
            }
            while (text.TrySkip(' ') && patterns.Count < MostPatterns);
            text.Skip(')');
        }
        else
        {
            patterns.Add(text.ListPattern());
        }

        var (showsSubscribed, status) = (false, (IReadOnlyList<string>)[]);
        if (!isLsub && text.TrySkip(' '))
        {
            if (text.Word() != "RETURN")
                throw new CommandException("RETURN is expected");
            text.Skip(' ');
            text.Skip('(');
            while (!text.TrySkip(')'))
            {
                switch (text.Word())
                {
                    case "SUBSCRIBED":
                        showsSubscribed = true;
                        break;
                    case "CHILDREN" or "SPECIAL-USE":
                        break;
                    case "STATUS":
                        text.Skip(' ');
                        status = ParseStatusItems(text);
                        break;
                    default:
                        throw new CommandException("there is no such thing to return");
                }

                text.TrySkip(' ');
            }
        }

        text.End();
        var whole = patterns.ConvertAll(p => p.Length == 0 ? p : reference + p);
        if (whole.Sum(p => p.Length) > PatternBytes)
            throw new CommandException("no folder has a name that long");
        return new ListRequestText
        {
            Patterns = whole,
            OnlySubscribed = isLsub || selection.Contains("SUBSCRIBED"),
            OnlySpecial = selection.Contains("SPECIAL-USE"),
            ShowsSubscribed = showsSubscribed || selection.Contains("SUBSCRIBED"),
            Status = status,
        };
    }

    public static IReadOnlyList<string> ParseStatusItems(CommandText text)
    {
        var items = Words(text);
        if (items.Count == 0 || items.Except(["MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN"]).Any())
            throw new CommandException("a status has MESSAGES, RECENT, UIDNEXT, UIDVALIDITY and UNSEEN");
        return [.. items.Distinct()];
    }

    public bool Accepts(ServedFolder folder) =>
        (!OnlySubscribed || folder.IsSubscribed) && (!OnlySpecial || folder.Use is not null) && Patterns.Any(p => Fits(p, folder.WireName));

    /// <summary>
    /// Matches a name: <c>*</c> matches anything, <c>%</c> anything but the delimiter. All alternatives are followed in parallel, so the cost is
    /// only the product of the two lengths.
    /// </summary>
    private static bool Fits(string pattern, string name)
    {
        if (pattern.StartsWith("inbox", StringComparison.OrdinalIgnoreCase) && (pattern.Length == 5 || pattern[5] == '/'))
            pattern = string.Concat("INBOX", pattern.AsSpan(5));
        var fits = new bool[name.Length + 1];
        fits[0] = true;
        foreach (var c in pattern)
        {
            if (c is '*' or '%')
            {
                for (var i = 1; i <= name.Length; i++)
                    fits[i] |= fits[i - 1] && (c == '*' || name[i - 1] != '/');
                continue;
            }

            for (var i = name.Length; i > 0; i--)
                fits[i] = fits[i - 1] && name[i - 1] == c;
            fits[0] = false;
        }

        return fits[name.Length];
    }

    private static List<string> Words(CommandText text)
    {
        text.Skip('(');
        var words = new List<string>();
        while (!text.TrySkip(')'))
        {
            words.Add(text.Word());
            text.TrySkip(' ');
        }

        return words;
    }
}
