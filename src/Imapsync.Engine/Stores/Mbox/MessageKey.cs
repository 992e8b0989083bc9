using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// Identifies a message even after a mail program has added header fields. It is a digest of the identifying fields, the body's length and
/// the body's first octets. It is computed while the message is streamed, in constant memory.
/// </summary>
internal sealed class MessageKey : IDisposable
{
    private const int BodyBytes = 64 << 10;
    private const int MaxIdBytes = 2000;

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] line = new byte[MaxIdBytes];
    private int lineLength;
    private bool inHeader = true;
    private bool inId;
    private bool hasId;
    private bool isEmptyLine = true;
    private long bodyLength;

    public void Append(ReadOnlySpan<byte> octets)
    {
        while (inHeader && !octets.IsEmpty)
        {
            var end = octets.IndexOf((byte)'\n');
            var part = end < 0 ? octets : octets[..end];
            var kept = part[..Math.Min(part.Length, line.Length - lineLength)];
            kept.CopyTo(line.AsSpan(lineLength));
            lineLength += kept.Length;
            isEmptyLine &= part.Trim((byte)'\r').IsEmpty;
            if (end < 0)
                return;
            octets = octets[(end + 1)..];
            EndLine();
        }

        if (octets.IsEmpty)
            return;
        if (bodyLength < BodyBytes)
            hash.AppendData(octets[..(int)Math.Min(octets.Length, BodyBytes - bodyLength)]);
        bodyLength += octets.Length;
    }

    /// <summary>
    /// Returns the key of the message appended since the last call. 0 if the message has no identifying field, because two such messages
    /// could easily have the same key.
    /// </summary>
    public ulong Finish()
    {
        if (inHeader && lineLength > 0)
            EndLine();
        Span<byte> length = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, bodyLength);
        hash.AppendData(length);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        var key = hasId ? BinaryPrimitives.ReadUInt64LittleEndian(digest) | 1 : 0;
        (lineLength, inHeader, inId, hasId, isEmptyLine, bodyLength) = (0, true, false, false, true, 0);
        return key;
    }

    public void Dispose() => hash.Dispose();

    private static bool IsNaming(ReadOnlySpan<byte> line) =>
        MetadataNames.IsField(line, "Message-ID"u8) || MetadataNames.IsField(line, "Date"u8)
        || MetadataNames.IsField(line, "From"u8) || MetadataNames.IsField(line, "Subject"u8);

    private void EndLine()
    {
        var text = line.AsSpan(0, lineLength);
        inHeader = !isEmptyLine;
        inId = IsNaming(text) || (inId && text.Length > 0 && text[0] is (byte)' ' or (byte)'\t');
        if (inHeader && inId)
        {
            var colon = text.IndexOf((byte)':');
            hash.AppendData(text[(colon < 0 ? 0 : colon + 1)..].Trim(" \t\r"u8));
            hasId = true;
        }

        (lineLength, isEmptyLine) = (0, true);
    }
}
