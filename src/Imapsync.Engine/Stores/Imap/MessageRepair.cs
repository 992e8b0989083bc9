using System.Buffers;
using System.IO.Pipelines;

namespace Imapsync.Engine.Stores.Imap;

[Flags]
internal enum MessageRepair
{
    None,

    /// <summary>Adds a CRLF at the end of the message.</summary>
    FinalLineEnd = 1,

    /// <summary>
    /// Replaces each NUL, replaces each bare LF by CRLF, and turns each header line that is no field into a field that has the line as its
    /// value.
    /// </summary>
    Sanitized = 2,
}

/// <summary>Changes a message's octets as far as needed for a server that refused them; everything else stays unchanged.</summary>
internal static class MessageRepairing
{
    /// <summary>Longer messages are not repaired, since the repaired length has to be known before the first octet is sent.</summary>
    public const long MaxBytes = 64 << 20;

    public static async ValueTask<byte[]> ReadAsync(PipeReader body, long length, CancellationToken cancellationToken)
    {
        var octets = new ArrayBufferWriter<byte>((int)Math.Clamp(length, 256, MaxBytes));
        while (true)
        {
            var read = await body.ReadAsync(cancellationToken);
            foreach (var segment in read.Buffer)
                octets.Write(segment.Span);
            body.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted || octets.WrittenCount > length)
                return octets.WrittenSpan.ToArray();
        }
    }

    /// <param name="note">Describes the change for people; null where nothing was changed.</param>
    public static byte[] Apply(byte[] octets, MessageRepair repair, out string? note)
    {
        var changes = new List<string>();
        if (repair.HasFlag(MessageRepair.Sanitized))
            octets = Sanitize(octets, changes);
        if (repair.HasFlag(MessageRepair.FinalLineEnd) && !octets.AsSpan().EndsWith("\r\n"u8))
        {
            octets = [.. octets, .. "\r\n"u8];
            changes.Add("CRLF added at its end");
        }

        note = changes.Count == 0 ? null : $"changed because the server refuses it as it is: {string.Join(", ", changes)}";
        return octets;
    }

    private static byte[] Sanitize(ReadOnlySpan<byte> octets, List<string> changes)
    {
        var clean = new ArrayBufferWriter<byte>(octets.Length + 256);
        var (nuls, lineEnds, noFields) = (0, 0, 0);
        var (inHeader, afterField) = (true, false);
        while (!octets.IsEmpty)
        {
            var lf = octets.IndexOf((byte)'\n');
            var line = lf < 0 ? octets : octets[..lf];
            octets = lf < 0 ? default : octets[(lf + 1)..];
            var isBare = lf >= 0 && (line.IsEmpty || line[^1] != '\r');
            if (lf >= 0 && !isBare)
                line = line[..^1];
            if (inHeader && line.IsEmpty)
            {
                inHeader = false;
            }
            else if (inHeader && !(afterField && line[0] is (byte)' ' or (byte)'\t') && !IsField(line))
            {
                clean.Write("X-Invalid-Header: "u8);
                noFields++;
            }

            afterField = true;
            nuls += CopyWithoutNul(line, clean);
            if (lf >= 0)
                clean.Write("\r\n"u8);
            if (isBare)
                lineEnds++;
        }

        Add(nuls, "NUL octets replaced by 0x80");
        Add(lineEnds, "bare LF made CRLF");
        Add(noFields, "header lines that are no fields put behind X-Invalid-Header");
        return clean.WrittenSpan.ToArray();

        void Add(int count, string what)
        {
            if (count > 0)
                changes.Add($"{what} ({count})");
        }
    }

    /// <summary>Returns whether the line begins with a field name of printable characters and a colon (RFC 5322 §2.2).</summary>
    private static bool IsField(ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        return colon > 0 && line[..colon].TrimEnd(" \t"u8) is { IsEmpty: false } name && name.IndexOfAnyExceptInRange((byte)'!', (byte)'~') < 0;
    }

    /// <summary>Copies a line with each NUL replaced by 0x80, as Dovecot does, so that the length stays the same.</summary>
    private static int CopyWithoutNul(ReadOnlySpan<byte> line, ArrayBufferWriter<byte> clean)
    {
        var target = clean.GetSpan(Math.Max(line.Length, 1));
        line.CopyTo(target);
        var nuls = line.Count((byte)0);
        if (nuls > 0)
            target[..line.Length].Replace((byte)0, (byte)0x80);
        clean.Advance(line.Length);
        return nuls;
    }
}
