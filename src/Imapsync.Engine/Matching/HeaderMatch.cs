using System.Text;
using System.Text.Unicode;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Reading;
using MimeKit;

namespace Imapsync.Engine.Matching;

/// <summary>Tests whether a message's header meets the conditions of header rules.</summary>
internal static class HeaderMatch
{
    /// <summary>
    /// From this length in octets on, a header may have been cut off by the store that read it, so that further fields are unknown.
    /// </summary>
    private const int CutBytes = 1 << 20;

    /// <param name="header">Octets through the empty line.</param>
    /// <returns>
    /// Whether the header meets all rules; null if this can't be decided, because the header has no field, is longer than what is read, or
    /// has a relevant value that can't be decoded.
    /// </returns>
    public static bool? Fits(ReadOnlyMemory<byte> header, IReadOnlyList<HeaderRule> rules)
    {
        if (rules.Count == 0)
            return true;
        List<(string Name, byte[] Value)> fields = [.. HeaderText.Fields(header)];
        var isTold = fields.Count > 0 && header.Length < CutBytes;
        var isSure = true;
        foreach (var rule in rules)
        {
            var verdict = Fits(fields, rule, isTold);
            if (verdict == false)
                return false;
            isSure &= verdict is not null;
        }

        return isSure ? true : null;
    }

    private static bool? Fits(List<(string Name, byte[] Value)> fields, HeaderRule rule, bool isTold)
    {
        foreach (var (_, value) in fields.Where(f => rule.Fields.Contains(f.Name, StringComparer.OrdinalIgnoreCase)))
        {
            foreach (var text in Texts(value, rule.Kind, ref isTold))
            {
                if (rule.Globs.Any(g => Glob.Matches(g, text, ignoreCase: true)))
                    return !rule.Excludes;
            }
        }

        return isTold ? rule.Excludes : null;
    }

    /// <param name="isTold">Set to false if a part of the value can't be read; otherwise not changed.</param>
    private static List<string> Texts(byte[] value, HeaderKind kind, ref bool isTold)
    {
        // Octets that are not UTF-8 are decoded by a guess, and a guess is not enough to exclude a message.
        isTold &= Utf8.IsValid(value) && Charsets(Encoding.Latin1.GetString(value)).All(HeaderText.KnowsCharset);
        var whole = OneLine(HeaderText.Decode(value));
        List<string> texts = [whole];
        if (kind == HeaderKind.ListId && whole.LastIndexOf('<') is >= 0 and var open && whole.IndexOf('>', open) is >= 0 and var close)
            texts.Add(whole[(open + 1)..close].Trim());
        if (kind != HeaderKind.Addresses || whole.Length == 0)
            return texts;
        // The raw octets are parsed, because a comma in a decoded name would look like the end of an address.
        if (!InternetAddressList.TryParse(HeaderText.Options, value, out var addresses))
            isTold = false;
        foreach (var mailbox in addresses?.Mailboxes ?? [])
        {
            texts.Add(mailbox.Address);
            if (!string.IsNullOrWhiteSpace(mailbox.Name))
                texts.AddRange([OneLine(mailbox.Name), $"{OneLine(mailbox.Name)} <{mailbox.Address}>"]);
        }

        return texts;
    }

    private static string OneLine(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Returns the charsets of a value's encoded words (RFC 2047 §2), without a language that may follow (RFC 2231 §5).</summary>
    private static IEnumerable<string> Charsets(string value)
    {
        for (var at = value.IndexOf("=?", StringComparison.Ordinal); at >= 0; at = value.IndexOf("=?", at + 2, StringComparison.Ordinal))
        {
            var end = value.IndexOf('?', at + 2);
            if (end > at + 2 && end + 2 < value.Length && (value[end + 1] is 'b' or 'B' or 'q' or 'Q') && value[end + 2] == '?')
                yield return value[(at + 2)..end].Split('*')[0];
        }
    }
}
