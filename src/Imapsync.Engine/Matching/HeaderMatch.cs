using System.Text;
using System.Text.RegularExpressions;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Reading;
using MimeKit;

namespace Imapsync.Engine.Matching;

/// <summary>Whether a message's header meets conditions.</summary>
internal static partial class HeaderMatch
{
    /// <summary>More than stores read of a header: what stands further down nobody has seen.</summary>
    private const int CutBytes = 1 << 20;

    /// <param name="header">Octets through the empty line.</param>
    /// <returns>Null where it can't be told: it has no field at all, goes on beyond what is read, or has what nobody can decode where it matters.</returns>
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

    /// <param name="isTold">Becomes false where some of the value can't be read.</param>
    private static List<string> Texts(byte[] value, HeaderKind kind, ref bool isTold)
    {
        isTold &= !EncodedWord().Matches(Encoding.Latin1.GetString(value)).Any(w => !HeaderText.KnowsCharset(w.Groups["charset"].Value));
        var whole = OneLine(HeaderText.Decode(value));
        List<string> texts = [whole];
        if (kind == HeaderKind.ListId && ListIdentifier().Match(whole) is { Success: true } id)
            texts.Add(id.Groups["id"].Value.Trim());
        if (kind != HeaderKind.Addresses || whole.Length == 0)
            return texts;
        // From its octets: a comma in a decoded name would end it.
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

    [GeneratedRegex(@"=\?(?<charset>[^?*\s]+)(?:\*[^?\s]*)?\?[bBqQ]\?", RegexOptions.None, 1000)]
    private static partial Regex EncodedWord();

    [GeneratedRegex("<(?<id>[^<>]*)>", RegexOptions.RightToLeft, 1000)]
    private static partial Regex ListIdentifier();
}
