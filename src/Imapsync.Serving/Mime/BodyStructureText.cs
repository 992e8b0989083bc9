using Imapsync.Serving.Wire;

namespace Imapsync.Serving.Mime;

/// <summary>Writes BODY and BODYSTRUCTURE (RFC 9051 §7.5.2).</summary>
/// <param name="isExtended">True for BODYSTRUCTURE, with its extension data; false for BODY.</param>
/// <param name="budget">Limits the addresses in the envelopes of embedded messages.</param>
internal sealed class BodyStructureText(ResponseWriter output, bool isExtended, AddressBudget budget)
{
    private static readonly ContentField Opaque = new("application", "octet-stream", []);

    public void Write(BodyPart part)
    {
        output.Text("(");
        if (part.IsMultipart)
            WriteMultipart(part);
        else
            WriteLeaf(part);
        output.Text(")");
    }

    private void WriteMultipart(BodyPart part)
    {
        foreach (var child in part.Children)
            Write(child);
        // The grammar does not allow a multipart without parts, so write an empty text part.
        if (part.Children.Count == 0)
        {
            output.Text("(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0");
            if (isExtended)
                output.Text(" NIL NIL NIL NIL");
            output.Text(")");
        }

        output.Text(" ").String(part.Type.Subtype);
        if (!isExtended)
            return;
        output.Text(" ");
        WriteParameters(part.Type.Parameters);
        WriteTail(part);
    }

    private void WriteLeaf(BodyPart part)
    {
        var isText = part.Type.Type.Equals("text", StringComparison.OrdinalIgnoreCase);
        // A message nested too deeply was not parsed, so it lacks the envelope that message/rfc822 requires. Show it as
        // application/octet-stream.
        var type = part.Type.Is("message", "rfc822") && !part.IsMessage ? Opaque : part.Type;
        output.String(type.Type).Text(" ").String(type.Subtype).Text(" ");
        if (isText && part.Type.Parameter("charset") is null)
            WriteParameters([.. part.Type.Parameters, ("charset", "us-ascii"u8.ToArray())]);
        else
            WriteParameters(part.Type.Parameters);
        output.Text(" ").NString(part.Field("Content-ID")).Text(" ").NString(part.Field("Content-Description")).Text(" ")
            .NString(Encoding(part)).Text(" ").Number(part.BodyLength);
        if (isText)
        {
            output.Text(" ").Number(part.BodyLines);
        }
        else if (part.IsMessage)
        {
            output.Text(" ");
            EnvelopeText.Write(part.Children[0], output, budget);
            output.Text(" ");
            Write(part.Children[0]);
            output.Text(" ").Number(part.BodyLines);
        }

        if (!isExtended)
            return;
        output.Text(" ").NString(part.Field("Content-MD5"));
        WriteTail(part);
    }

    private static byte[] Encoding(BodyPart part)
    {
        if (part.Field("Content-Transfer-Encoding") is not { } field)
            return "7bit"u8.ToArray();
        var tokens = new HeaderTokens(field);
        tokens.SkipBlanksAndComments();
        var word = tokens.MimeToken();
        // A value that is not a single word is no valid encoding, so the default (7bit) is sent.
        return word.Length == 0 || !tokens.IsAtEnd ? "7bit"u8.ToArray() : System.Text.Encoding.ASCII.GetBytes(word);
    }

    /// <summary>Writes disposition, language and location.</summary>
    private void WriteTail(BodyPart part)
    {
        output.Text(" ");
        if (part.Field("Content-Disposition") is { } disposition && ContentField.ParseDisposition(disposition) is { } parsed)
        {
            output.Text("(").String(parsed.Type).Text(" ");
            WriteParameters(parsed.Parameters);
            output.Text(")");
        }
        else
        {
            output.Text("NIL");
        }

        output.Text(" ");
        WriteLanguages(part.Field("Content-Language"));
        output.Text(" ").NString(part.Field("Content-Location"));
    }

    private void WriteLanguages(byte[]? field)
    {
        var words = new List<string>();
        var tokens = new HeaderTokens(field);
        tokens.SkipBlanksAndComments();
        while (!tokens.IsAtEnd)
        {
            if (tokens.TrySkip(','))
                continue;
            var word = tokens.MimeToken();
            if (word.Length == 0)
                break;
            words.Add(word);
        }

        if (words.Count == 0)
        {
            output.Text("NIL");
            return;
        }

        output.Text("(");
        for (var i = 0; i < words.Count; i++)
            output.Text(i > 0 ? " " : "").String(words[i]);
        output.Text(")");
    }

    private void WriteParameters(IReadOnlyList<(string Name, byte[] Value)> parameters)
    {
        if (parameters.Count == 0)
        {
            output.Text("NIL");
            return;
        }

        output.Text("(");
        for (var i = 0; i < parameters.Count; i++)
            output.Text(i > 0 ? " " : "").String(parameters[i].Name).Text(" ").String(parameters[i].Value);
        output.Text(")");
    }
}
