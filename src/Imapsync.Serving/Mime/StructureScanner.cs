using System.Text;

namespace Imapsync.Serving.Mime;

/// <summary>
/// Finds the parts of a message in one pass over its octets, which may come in pieces of any length. Never fails: a broken part ends where
/// the message ends. Only the needed header fields and the start of one line are kept in memory.
/// </summary>
/// <remarks>
/// (1) The line end before a boundary belongs to the boundary (RFC 2046 §5.1.1). (2) A line that begins with a boundary counts as the
/// boundary, even if more text follows. (3) If several boundaries fit, the longest counts; of equal ones, the innermost. (4) A boundary
/// inside a header ends the header.
/// </remarks>
internal sealed class StructureScanner : IDisposable
{
    /// <summary>The most octets of a boundary that are compared; RFC 2046 allows 70.</summary>
    private const int BoundaryBytes = 80;
    private const int BodyLineBytes = 2 + BoundaryBytes + 2;

    /// <summary>About how many octets of memory a stored field takes in addition to its text.</summary>
    private const int FieldOverheadBytes = 64;

    private static readonly HashSet<string> Wanted = new(StringComparer.OrdinalIgnoreCase)
    {
        "Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Content-ID", "Content-Description", "Content-MD5", "Content-Language", "Content-Location",
        "Date", "Subject", "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "In-Reply-To", "Message-ID", "MIME-Version",
    };

    private readonly ServingLimits limits;
    private readonly List<(byte[] Boundary, BodyPart Part)> boundaries = [];
    /// <summary>For each open part, the number of line ends before its header and before its body.</summary>
    private readonly Dictionary<BodyPart, (long Header, long Body)> starts = [];
    private readonly MemoryStream field = new();
    private readonly MemoryStream held = new();
    private byte lastHeld;
    private BodyPart part;
    private bool isInHeader = true;
    private int parts = 1;
    private int depth = 1;
    private long kept;
    private long position;
    private long lineStart;
    private long lines;
    private int lastLineEnd;
    private bool isAfterBoundary;

    public StructureScanner(ServingLimits limits)
    {
        this.limits = limits;
        Root = part = new BodyPart(null);
        starts[Root] = (0, 0);
    }

    public BodyPart Root { get; }

    public void Feed(ReadOnlySpan<byte> octets)
    {
        while (!octets.IsEmpty)
        {
            var end = octets.IndexOf((byte)'\n');
            var piece = end < 0 ? octets : octets[..(end + 1)];
            octets = octets[piece.Length..];
            position += piece.Length;
            if (end >= 0 && held.Length == 0)
            {
                TakeLine(piece);
                continue;
            }

            var room = (isInHeader ? limits.FieldBytes : BodyLineBytes) - held.Length;
            held.Write(piece[..(int)Math.Min(Math.Max(room, 0), piece.Length)]);
            // Keep the line end even of a truncated line, because it is counted and may belong to a boundary.
            if (end >= 0 && piece.Length > room)
                held.Write((piece.Length > 1 ? piece[^2] : lastHeld) == '\r' ? "\r\n"u8 : "\n"u8);
            lastHeld = piece[^1];
            if (end < 0)
                continue;
            TakeLine(held.GetBuffer().AsSpan(0, (int)held.Length));
            held.SetLength(0);
        }
    }

    /// <summary>Completes the structure after the whole message was fed.</summary>
    public BodyPart Finish()
    {
        if (position > lineStart)
            TakeLine(held.GetBuffer().AsSpan(0, (int)held.Length));
        EndHeaderAt(position);
        for (BodyPart? open = part; open is not null; open = open.Parent)
            Close(open, position, lines);
        return Root;
    }

    public void Dispose()
    {
        field.Dispose();
        held.Dispose();
    }

    /// <param name="line">A line, possibly truncated; it ends with LF unless the message ended without one.</param>
    private void TakeLine(ReadOnlySpan<byte> line)
    {
        var start = lineStart;
        lineStart = position;
        var isEnded = line is [.., (byte)'\n'] && position > start;
        if (boundaries.Count > 0 && line.StartsWith("--"u8) && FindBoundary(line[2..]) is var at and >= 0)
        {
            if (isInHeader)
                EndHeaderAt(start);
            var isLast = line[(2 + boundaries[at].Boundary.Length)..].StartsWith("--"u8);
            CloseUpTo(at, start, isLast);
            Count(line, isEnded);
            isAfterBoundary = true;
            if (!isLast && parts < limits.Parts)
                Open(part, position);
        }
        else if (isInHeader)
        {
            TakeHeaderLine(line, isEnded);
        }
        else
        {
            Count(line, isEnded);
        }
    }

    private void Count(ReadOnlySpan<byte> line, bool isEnded)
    {
        isAfterBoundary = false;
        lines += isEnded ? 1 : 0;
        lastLineEnd = !isEnded ? 0 : line.EndsWith("\r\n"u8) ? 2 : 1;
    }

    private void TakeHeaderLine(ReadOnlySpan<byte> line, bool isEnded)
    {
        var text = line.TrimEnd("\r\n"u8);
        Count(line, isEnded);
        if (text.IsEmpty && isEnded)
        {
            EndHeader(position);
            return;
        }

        if (text.Length > 0 && text[0] is (byte)' ' or (byte)'\t')
        {
            Continue(text);
            return;
        }

        TakeField();
        Append(text);
    }

    /// <summary>Appends a continuation line. Fields used in an ENVELOPE are unfolded to a single blank, as in other servers.</summary>
    private void Continue(ReadOnlySpan<byte> line)
    {
        if (field.Length == 0)
            return;
        var known = field.GetBuffer().AsSpan(0, (int)field.Length);
        if (known.Length > 8 && Ascii.EqualsIgnoreCase(known[..8], "Content-"u8))
        {
            Append(line);
            return;
        }

        var more = line.TrimStart(" \t"u8);
        if (!more.IsEmpty)
            Append(" "u8);
        Append(more);
    }

    private void Append(ReadOnlySpan<byte> text) => field.Write(text[..(int)Math.Min(text.Length, limits.FieldBytes - field.Length)]);

    /// <summary>Stores the field that is now complete, if it is one of the wanted fields.</summary>
    private void TakeField()
    {
        var octets = field.GetBuffer().AsSpan(0, (int)field.Length);
        var colon = octets.IndexOf((byte)':');
        if (colon > 0)
        {
            var name = Encoding.ASCII.GetString(octets[..colon].TrimEnd(" \t"u8));
            if (Wanted.Contains(name) && kept + octets.Length + FieldOverheadBytes <= limits.StructureBytes)
            {
                kept += octets.Length + FieldOverheadBytes;
                part.Fields.Add((name, octets[(colon + 1)..].Trim(" \t"u8).ToArray()));
            }
        }

        field.SetLength(0);
        if (field.Capacity > 64 * 1024)
            field.Capacity = 0;
    }

    private void EndHeader(long bodyStart)
    {
        TakeField();
        isInHeader = false;
        part.BodyStart = bodyStart;
        starts[part] = (starts[part].Header, lines);
        var isOfDigest = part.Parent is { } parent && parent.IsMultipart && parent.Type.Subtype.Equals("digest", StringComparison.OrdinalIgnoreCase);
        // A message with neither Content-Type nor MIME-Version is not MIME (RFC 2045 §4), so ignore its other Content- fields.
        if (part.Parent?.IsMultipart != true && part.Field("Content-Type") is null && part.Field("MIME-Version") is null)
            part.Fields.RemoveAll(f => f.Name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase));
        part.Type = (part.Field("Content-Type") is { } type ? ContentField.ParseType(type) : null)
            ?? (isOfDigest ? ContentField.Message : ContentField.TextPlain);
        if (part.IsMultipart)
        {
            if (part.Type.Parameter("boundary") is { Length: > 0 } boundary && depth < limits.PartDepth)
                boundaries.Add((boundary[..Math.Min(boundary.Length, BoundaryBytes)], part));
        }
        else if (part.Type.Is("message", "rfc822") && depth < limits.PartDepth && parts < limits.Parts)
        {
            part.IsMessage = true;
            Open(part, bodyStart);
        }
    }

    private void Open(BodyPart parent, long start)
    {
        part = new BodyPart(parent) { HeaderStart = start };
        parent.Children.Add(part);
        starts[part] = (lines, lines);
        isInHeader = true;
        parts++;
        depth++;
    }

    private int FindBoundary(ReadOnlySpan<byte> line)
    {
        var found = -1;
        for (var i = boundaries.Count - 1; i >= 0; i--)
        {
            if (line.StartsWith(boundaries[i].Boundary) && (found < 0 || boundaries[i].Boundary.Length > boundaries[found].Boundary.Length))
                found = i;
        }

        return found;
    }

    /// <summary>Handles a boundary: closes all parts that are open inside its multipart.</summary>
    private void CloseUpTo(int at, long start, bool isLast)
    {
        var multipart = boundaries[at].Part;
        // The line end before the boundary belongs to the boundary, unless it ends a header or another boundary line.
        var excluded = start > part.BodyStart && !isAfterBoundary ? lastLineEnd : 0;
        for (var open = part; open != multipart; open = open.Parent!)
        {
            Close(open, start - excluded, lines - (excluded > 0 ? 1 : 0));
            depth--;
        }

        part = multipart;
        var first = at + (isLast ? 0 : 1);
        boundaries.RemoveRange(first, boundaries.Count - first);
    }

    /// <summary>Ends the header at this position. If that opens an embedded message, the embedded header ends there too.</summary>
    private void EndHeaderAt(long start)
    {
        while (isInHeader)
            EndHeader(start);
    }

    private void Close(BodyPart open, long end, long lineEnds)
    {
        open.BodyEnd = Math.Max(end, open.BodyStart);
        var (header, body) = starts[open];
        open.BodyLines = Math.Max(0, lineEnds - body);
        open.Lines = Math.Max(0, lineEnds - header);
        starts.Remove(open);
    }
}
