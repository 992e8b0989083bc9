using System.Buffers;
using System.Globalization;
using System.Text;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Labels;

/// <summary>
/// Converts labels to keywords and back. A keyword has to be an atom (RFC 9051 §9), so a label is encoded as RFC 2047 encodes words: a blank as
/// <c>_</c>, any other octet of its UTF-8 that an atom can't have as <c>=XX</c>. Pure.
/// </summary>
internal static class GmailLabels
{
    private static readonly SearchValues<byte> AsIs = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#&'+,-./:;<>?@[^`|}~$"u8);

    /// <summary>Gmail's own labels without a corresponding flag, with the keywords they become. Other programs may know these: RFC 8457 defines $Important.</summary>
    private static readonly (string Label, string Keyword)[] Own =
    [
        ("\\Inbox", "$Inbox"), ("\\Important", "$Important"), ("\\Sent", "$Sent"), ("\\Muted", "$Muted"),
    ];

    /// <summary>
    /// Keywords without a <c>$</c> that mail programs set. No label is encoded as one of these, and none of these is decoded as a label.
    /// </summary>
    private static readonly string[] Common = ["Junk", "NonJunk", "NotJunk", "Forwarded", "Redirected", "MDNSent"];

    /// <param name="labels">
    /// The labels of a message as listed in a folder. \Trash and \Spam are ignored, since they only say in which folder the message is.
    /// </param>
    public static FlagSet ToFlags(IReadOnlyList<string> labels)
    {
        var system = MessageFlags.None;
        var keywords = new List<string>();
        foreach (var label in labels)
        {
            if (!label.StartsWith('\\'))
                keywords.Add(Escape(label));
            else if (Is(label, "\\Starred"))
                system |= MessageFlags.Flagged;
            else if (Is(label, "\\Draft") || Is(label, "\\Drafts"))
                system |= MessageFlags.Draft;
            else if (Array.Find(Own, o => Is(o.Label, label)).Keyword is { } keyword)
                keywords.Add(keyword);
        }

        return FlagSet.Create(system, keywords);
    }

    /// <summary>Separates the flags that stay flags from the keywords that are converted to labels.</summary>
    public static (FlagSet Flags, IReadOnlyList<string> Labels) Split(FlagSet flags)
    {
        var labels = new List<string>();
        var keywords = new List<string>();
        foreach (var keyword in flags.Keywords)
        {
            if (LabelOf(keyword) is { } label)
                labels.Add(label);
            else
                keywords.Add(keyword);
        }

        return labels.Count == 0 ? (flags, labels) : (FlagSet.Create(flags.System, keywords), labels);
    }

    private static string? LabelOf(string keyword)
    {
        if (keyword.StartsWith('$'))
            return Array.Find(Own, o => Is(o.Keyword, keyword)).Label;
        return Common.Contains(keyword, StringComparer.OrdinalIgnoreCase) ? null : Unescape(keyword);
    }

    private static string Escape(string label)
    {
        var octets = Encoding.UTF8.GetBytes(label);
        var keyword = new StringBuilder(octets.Length);
        var isTaken = Common.Contains(label, StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < octets.Length; i++)
        {
            if (octets[i] == ' ')
                keyword.Append('_');
            else if (AsIs.Contains(octets[i]) && (i > 0 || !(isTaken || octets[i] == '$')))
                keyword.Append((char)octets[i]);
            else
                keyword.Append(CultureInfo.InvariantCulture, $"={octets[i]:X2}");
        }

        return keyword.ToString();
    }

    /// <summary>Decodes a keyword to a label; returns null for a keyword that is not an encoded label.</summary>
    private static string? Unescape(string keyword)
    {
        var octets = new List<byte>(keyword.Length);
        for (var i = 0; i < keyword.Length; i++)
        {
            if (keyword[i] == '_')
            {
                octets.Add((byte)' ');
            }
            else if (keyword[i] == '=')
            {
                if (!byte.TryParse(keyword.AsSpan(i + 1, Math.Min(2, keyword.Length - i - 1)), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
                    return null;
                octets.Add(octet);
                i += 2;
            }
            else if (keyword[i] < 0x80)
            {
                octets.Add((byte)keyword[i]);
            }
            else
            {
                return null;
            }
        }

        var label = Encoding.UTF8.GetString([.. octets]);
        return Is(Escape(label), keyword) ? label : null;
    }

    private static bool Is(string a, string b) => a.Equals(b, StringComparison.OrdinalIgnoreCase);
}
