using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Serving.Mailboxes;
using Imapsync.Serving.Mime;
using MimeKit;
using MimeKit.Text;

namespace Imapsync.Serving.Texts;

/// <summary>A text part of a message, decoded, and without tags if it is HTML.</summary>
/// <param name="IsCut">Whether the text is truncated because the part is longer than the limit.</param>
internal readonly record struct DecodedText(string Text, bool IsHtml, bool IsCut);

/// <summary>Reads the texts of a message part by part, up to a limit.</summary>
internal static class BodyText
{
    /// <summary>Lists the text parts, including those of embedded messages.</summary>
    public static IEnumerable<BodyPart> TextParts(BodyPart part)
    {
        if (!part.IsMultipart && !part.IsMessage && part.Type.Type.Equals("text", StringComparison.OrdinalIgnoreCase))
            yield return part;
        foreach (var child in part.Children)
        {
            foreach (var inner in TextParts(child))
                yield return inner;
        }
    }

    /// <exception cref="MailException">The message can't be read.</exception>
    public static async ValueTask<DecodedText> ReadAsync(MessageReader reader, MessageInfo message, BodyPart part, int maxBytes, CancellationToken cancellationToken)
    {
        var octets = await reader.ReadAsync(message, part.BodyStart, Math.Min(part.BodyLength, maxBytes), cancellationToken);
        var isHtml = part.Type.Subtype.Equals("html", StringComparison.OrdinalIgnoreCase);
        var text = Decode(octets, part);
        return new DecodedText(isHtml ? WithoutTags(text) : text, isHtml, part.BodyLength > maxBytes);
    }

    public static ContentEncoding EncodingOf(BodyPart part)
    {
        var field = part.Field("Content-Transfer-Encoding");
        return field is not null && MimeKit.Utils.MimeUtils.TryParse(Encoding.Latin1.GetString(field).Trim(), out ContentEncoding encoding) ? encoding : ContentEncoding.Default;
    }

    private static string Decode(byte[] octets, BodyPart part)
    {
        using var stored = new MemoryStream(octets, writable: false);
        using var content = new MimeContent(stored, EncodingOf(part));
        using var decoded = new MemoryStream();
        content.DecodeTo(decoded);
        var plain = decoded.GetBuffer().AsSpan(0, (int)decoded.Length);
        var charset = part.Type.Parameter("charset") is { } named ? Encoding.Latin1.GetString(named).Trim() : "";
        return EncodingNamed(charset) is { } encoding ? encoding.GetString(plain) : Guess(plain);
    }

    /// <summary>Decodes text whose charset is unknown: as UTF-8 if it is valid UTF-8, else as Latin-1.</summary>
    private static string Guess(ReadOnlySpan<byte> octets)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(octets);
        }
        catch (DecoderFallbackException)
        {
            return Encoding.Latin1.GetString(octets);
        }
    }

    private static Encoding? EncodingNamed(string charset)
    {
        // Mail labelled us-ascii often contains other characters, so the charset is guessed instead.
        if (charset.Length == 0 || charset.Equals("us-ascii", StringComparison.OrdinalIgnoreCase) || charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
            return null;
        try
        {
            Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
            return Encoding.GetEncoding(charset);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static string WithoutTags(string html)
    {
        var text = new StringBuilder(html.Length);
        using var reader = new StringReader(html);
        var tokenizer = new HtmlTokenizer(reader) { DecodeCharacterReferences = true };
        var hidden = 0;
        while (tokenizer.ReadNextToken(out var token))
        {
            switch (token)
            {
                case HtmlTagToken { Id: HtmlTagId.Style or HtmlTagId.Script or HtmlTagId.Title } tag:
                    hidden = Math.Max(0, hidden + (tag.IsEndTag ? -1 : tag.IsEmptyElement ? 0 : 1));
                    break;
                case HtmlTagToken { Id: HtmlTagId.Br or HtmlTagId.P or HtmlTagId.Div or HtmlTagId.TR or HtmlTagId.LI or HtmlTagId.H1 or HtmlTagId.H2 or HtmlTagId.H3 }:
                    text.Append('\n');
                    break;
                case HtmlTagToken { Id: HtmlTagId.TD or HtmlTagId.TH }:
                    text.Append(' ');
                    break;
                case HtmlDataToken { Kind: HtmlTokenKind.Data or HtmlTokenKind.CData } data when hidden == 0:
                    text.Append(data.Data);
                    break;
            }
        }

        return text.ToString();
    }
}
