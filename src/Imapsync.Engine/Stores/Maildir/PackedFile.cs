using System.Buffers;
using System.IO.Compression;
using Imapsync.Engine.Stores.LineEnds;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>
/// Recognises messages that Dovecot plugins compressed or encrypted, by two signs. (1) <c>,S=</c> in the name differs from the file's
/// length. (2) The file's first octets can't begin a header. Only gzip can be read here.
/// </summary>
internal static class PackedFile
{
    private const int BufferBytes = 64 * 1024;

    private static readonly (string Name, byte[] Magic)[] Forms =
    [
        ("gzip", [0x1f, 0x8b, 0x08]), ("bzip2", "BZh"u8.ToArray()), ("xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
        ("zstd", [0x28, 0xb5, 0x2f, 0xfd]), ("lz4", "Dovecot-LZ4"u8.ToArray()), ("encryption", "CRYPTED\x03\x07"u8.ToArray()),
    ];

    /// <summary>Returns whether the file is gzip. The file's position does not change.</summary>
    /// <exception cref="IOException">The file is compressed or encrypted in a way that can't be read here.</exception>
    public static bool IsGzip(FileStream file, ReadOnlySpan<char> uniqueName)
    {
        if (MaildirName.IsVerbatim(uniqueName) || MaildirName.SizeOnDisk(uniqueName) == file.Length)
            return false;
        Span<byte> start = stackalloc byte[16];
        start = start[..RandomAccess.Read(file.SafeFileHandle, start, 0)];
        foreach (var (name, magic) in Forms)
        {
            if (!start.StartsWith(magic))
                continue;
            return name == "gzip"
                ? true
                : throw new IOException($"the file is kept with {name}, which only the server that wrote it reads: copy this mailbox over IMAP, or unpack its files");
        }

        return false;
    }

    /// <summary>Decompresses a gzip file and returns its number of octets with CRLF line ends. Leaves the position at the start.</summary>
    /// <exception cref="IOException">The file is damaged, or its length differs from the one in its name.</exception>
    public static long OctetsWithCrlf(FileStream file, ReadOnlySpan<char> uniqueName)
    {
        var expected = MaildirName.SizeOnDisk(uniqueName);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            file.Position = 0;
            using var unpacked = Unpack(file);
            var lineEnds = default(LineEndScanner);
            var length = 0L;
            for (int count; (expected < 0 || length <= expected) && (count = unpacked.Read(buffer)) > 0; length += count)
                lineEnds.Scan(buffer.AsSpan(0, count));
            if (expected >= 0 && length != expected)
                throw new IOException($"the compressed file does not unpack to the {expected} octets that its name tells");
            file.Position = 0;
            return lineEnds.OctetsWithCrlf;
        }
        catch (InvalidDataException e)
        {
            throw new IOException("the compressed file is damaged: " + e.Message, e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public static Stream Unpack(FileStream file) => new GZipStream(file, CompressionMode.Decompress, leaveOpen: true);
}
