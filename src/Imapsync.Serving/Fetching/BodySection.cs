using System.Globalization;
using System.Text;
using Imapsync.Serving.Mime;
using Imapsync.Serving.Wire;

namespace Imapsync.Serving.Fetching;

internal enum SectionPart
{
    All,
    Header,
    HeaderFields,
    HeaderFieldsNot,
    Text,
    Mime,
}

/// <summary>A body section: the text inside the brackets of <c>BODY[…]&lt;a.b&gt;</c> (RFC 9051 §6.4.5.1).</summary>
/// <param name="Path">Part numbers; empty for the message itself.</param>
/// <param name="Fields">Names of header fields, as the client wrote them.</param>
/// <param name="Start">The first octet of a partial fetch, whose length is <paramref name="Count"/>; -1 for the whole section.</param>
internal sealed record BodySection(IReadOnlyList<uint> Path, SectionPart Part, IReadOnlyList<string> Fields, long Start = -1, long Count = long.MaxValue)
{
    private const int MostFields = 500;

    public static BodySection Whole { get; } = new([], SectionPart.All, []);

    /// <summary>Whether the message's header is enough to answer this section.</summary>
    public bool IsOfHeader => Path.Count == 0 && Part is SectionPart.Header or SectionPart.HeaderFields or SectionPart.HeaderFieldsNot;

    public bool IsFiltered => Part is SectionPart.HeaderFields or SectionPart.HeaderFieldsNot;

    /// <summary>Reads the text after the opening bracket, the closing bracket, and the partial range that may follow.</summary>
    public static BodySection Parse(CommandText command)
    {
        var path = new List<uint>();
        var part = SectionPart.All;
        IReadOnlyList<string> fields = [];
        while (!command.Peek(']'))
        {
            if (path.Count > 0)
                command.Skip('.');
            if (!command.Peek(']') && command.PeekSet() && !command.Peek('*'))
            {
                if (path.Count == 200)
                    throw new CommandException("no message has parts that deep inside one another");
                path.Add(command.Number() is > 0 and var number ? number : throw new CommandException("parts are counted from 1"));
                continue;
            }

            part = command.Word() switch
            {
                "HEADER" => SectionPart.Header,
                "HEADER.FIELDS" => SectionPart.HeaderFields,
                "HEADER.FIELDS.NOT" => SectionPart.HeaderFieldsNot,
                "TEXT" => SectionPart.Text,
                "MIME" when path.Count > 0 => SectionPart.Mime,
                _ => throw new CommandException("there is no such section"),
            };
            if (part is SectionPart.HeaderFields or SectionPart.HeaderFieldsNot)
                fields = ParseFields(command);
            break;
        }

        command.Skip(']');
        if (!command.TrySkip('<'))
            return new BodySection(path, part, fields);
        var start = command.Number64();
        command.Skip('.');
        var count = command.Number64();
        command.Skip('>');
        return count > 0 ? new BodySection(path, part, fields, start, count) : throw new CommandException("a partial fetch of no octets");
    }

    /// <summary>The section's item name in the answer.</summary>
    public string AnswerName()
    {
        var name = new StringBuilder("BODY[").AppendJoin('.', Path);
        if (Part != SectionPart.All)
        {
            name.Append(Path.Count > 0 ? "." : "").Append(Part switch
            {
                SectionPart.Header => "HEADER",
                SectionPart.HeaderFields => "HEADER.FIELDS",
                SectionPart.HeaderFieldsNot => "HEADER.FIELDS.NOT",
                SectionPart.Text => "TEXT",
                _ => "MIME",
            });
        }

        if (IsFiltered)
            name.Append(" (").AppendJoin(' ', Fields.Select(Quoted)).Append(')');
        name.Append(']');
        return Start < 0 ? name.ToString() : name.Append(CultureInfo.InvariantCulture, $"<{Start}>").ToString();
    }

    /// <summary>The section's position in the message: its first octet and its length. Null if the message has no such part.</summary>
    /// <remarks>If <see cref="IsFiltered"/>, this is the position of the unfiltered header.</remarks>
    public (long Start, long Length)? Find(BodyPart root, long length)
    {
        if (Path.Count == 0)
            return Part switch
            {
                SectionPart.All => (0, length),
                SectionPart.Text => (root.BodyStart, root.BodyLength),
                _ => (0, root.BodyStart),
            };
        if (FindPart(root) is not { } part)
            return null;
        switch (Part)
        {
            case SectionPart.All:
                return (part.BodyStart, part.BodyLength);
            case SectionPart.Mime:
                return (part.HeaderStart, part.BodyStart - part.HeaderStart);
            default:
                if (!part.IsMessage)
                    return (part.BodyStart, 0);
                var message = part.Children[0];
                return Part == SectionPart.Text ? (message.BodyStart, message.BodyLength) : (message.HeaderStart, message.BodyStart - message.HeaderStart);
        }
    }

    private BodyPart? FindPart(BodyPart root)
    {
        // Part numbers name the parts of the message's multipart body. A message without multipart has one part, its own body.
        var (current, isMessage, isItself) = (root, true, false);
        foreach (var number in Path)
        {
            if (!isMessage && current.IsMessage)
                (current, isItself) = (current.Children[0], false);
            isMessage = false;
            if (!current.IsMultipart)
            {
                if (number != 1 || isItself)
                    return null;
                isItself = true;
            }
            else if (number <= current.Children.Count)
            {
                current = current.Children[(int)number - 1];
            }
            else
            {
                // BODYSTRUCTURE shows an empty part for a multipart without parts, so part 1 of it exists and is empty.
                return number == 1 ? new BodyPart(current) { HeaderStart = current.BodyEnd, BodyStart = current.BodyEnd, BodyEnd = current.BodyEnd } : null;
            }
        }

        return current;
    }

    private static List<string> ParseFields(CommandText command)
    {
        command.Skip(' ');
        command.Skip('(');
        var fields = new List<string>();
        do
        {
            var name = command.AString();
            // A name with invalid characters would corrupt the answer, so it is rejected.
            if (name.Length is 0 or > 200 || name.Any(c => c is <= ' ' or > '~' or ':'))
                throw new CommandException("this is no name of a header field");
            fields.Add(name);
            if (fields.Count > MostFields)
                throw new CommandException("too many header fields are named");
        }
        while (command.TrySkip(' '));
        command.Skip(')');
        return fields;
    }

    private static string Quoted(string name) =>
        name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or '+') ? name : $"\"{name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
