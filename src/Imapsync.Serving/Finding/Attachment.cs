using System.Text;
using Imapsync.Engine.Reading;
using Imapsync.Serving.Mime;
using MimeKit.Utils;

namespace Imapsync.Serving.Finding;

/// <summary>A part of a message that is a file rather than the message's text.</summary>
/// <param name="Name">The decoded file name; null if there is none.</param>
internal sealed record Attachment(BodyPart Part, string? Name, string Type)
{
    /// <summary>The attachment's title for lists: its name, else its type.</summary>
    public string Title => Name ?? Type;

    /// <summary>Lists a message's attachments in order. An embedded message counts as one attachment; the files attached to it do not count.</summary>
    public static IEnumerable<Attachment> Of(BodyPart part)
    {
        if (part.IsMultipart)
        {
            foreach (var child in part.Children)
            {
                foreach (var inner in Of(child))
                    yield return inner;
            }

            yield break;
        }

        var disposition = part.Field("Content-Disposition") is { } field ? ContentField.ParseDisposition(field) : null;
        var name = FileName(disposition, "filename") ?? FileName(part.Type, "name");
        var isText = part.Type.Type.Equals("text", StringComparison.OrdinalIgnoreCase);
        var isAttached = disposition?.Type.Equals("attachment", StringComparison.OrdinalIgnoreCase) == true;
        if (isAttached || name is not null || (!isText && part.Parent is not null))
            yield return new Attachment(part, name, $"{part.Type.Type}/{part.Type.Subtype}".ToLowerInvariant());
    }

    /// <summary>Reads a file name parameter in any form: plain, with encoded words, or split and percent-encoded by RFC 2231.</summary>
    private static string? FileName(ContentField? field, string parameter)
    {
        if (field is null)
            return null;
        if (field.Parameter(parameter) is { Length: > 0 } plain)
            return HeaderText.Decode(plain);
        var parts = field.Parameters.Where(p => p.Name.StartsWith(parameter + "*", StringComparison.OrdinalIgnoreCase)).ToList();
        if (parts.Count == 0)
            return null;
        // MimeKit joins and decodes the pieces.
        var text = new StringBuilder("attachment");
        foreach (var (name, value) in parts)
            text.Append($"; {(parameter == "name" ? "file" : "")}{name}=").Append(name.EndsWith('*') ? Encoding.Latin1.GetString(value) : MimeUtils.Quote(Encoding.Latin1.GetString(value)));
        return MimeKit.ContentDisposition.TryParse(text.ToString(), out var parsed) && !string.IsNullOrEmpty(parsed.FileName) ? parsed.FileName : null;
    }
}
