using System.Text;
using Imapsync.Engine.Reading;
using Imapsync.Serving.Mime;
using MimeKit.Utils;

namespace Imapsync.Serving.Finding;

/// <summary>A part of a message that is a file rather than its text.</summary>
/// <param name="Name">As the sender called it, decoded; null where he did not.</param>
/// <param name="Type">Media type.</param>
internal sealed record Attachment(BodyPart Part, string? Name, string Type)
{
    /// <summary>The text that identifies the attachment in a list: its name, else its type.</summary>
    public string Title => Name ?? Type;

    /// <summary>Returns a message's attachments in order. An attached message counts as one; its own attachments do not count.</summary>
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

    /// <summary>A parameter in any of its forms: plain, with encoded words, or by RFC 2231 in pieces and percent-encoded.</summary>
    private static string? FileName(ContentField? field, string parameter)
    {
        if (field is null)
            return null;
        if (field.Parameter(parameter) is { Length: > 0 } plain)
            return HeaderText.Decode(plain);
        var parts = field.Parameters.Where(p => p.Name.StartsWith(parameter + "*", StringComparison.OrdinalIgnoreCase)).ToList();
        if (parts.Count == 0)
            return null;
        // MimeKit joins the pieces of the parameter.
        var text = new StringBuilder("attachment");
        foreach (var (name, value) in parts)
            text.Append($"; {(parameter == "name" ? "file" : "")}{name}=").Append(name.EndsWith('*') ? Encoding.Latin1.GetString(value) : MimeUtils.Quote(Encoding.Latin1.GetString(value)));
        return MimeKit.ContentDisposition.TryParse(text.ToString(), out var parsed) && !string.IsNullOrEmpty(parsed.FileName) ? parsed.FileName : null;
    }
}
