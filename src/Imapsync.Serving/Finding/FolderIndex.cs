using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Serving.Finding;

/// <summary>
/// The texts of a folder's messages in one file, added to at its end: a head with the version and the folder's UIDVALIDITY, then blocks of
/// messages, each with a table of who they are, their texts compressed, and check sums of both. The end of the file is before the first block that is
/// not whole.
/// </summary>
internal sealed class FolderIndex : IDisposable
{
    private const int BlockTextBytes = 1 << 20;
    private const int BlockMessages = 1000;
    private const int MaxBlockBytes = 1 << 28;
    private const int HeadBytes = 24;
    private const int BlockHeadBytes = 20;
    private const int RowBytes = 20;

    private readonly FileStream file;
    private readonly List<Block> blocks = [];
    private readonly Dictionary<Uid, IndexedMessage> known = [];
    private long end = HeadBytes;

    private FolderIndex(FileStream file) => this.file = file;

    /// <summary>How many rows speak of messages that others replaced.</summary>
    public long RowCount { get; private set; }

    private static ReadOnlySpan<byte> Version => "imapsync texts 1"u8;

    /// <summary>Opens what is there. Null where it can't be used: missing, torn at its head, of another version or of another generation of the folder.</summary>
    public static FolderIndex? Open(string path, UidValidity validity, bool forWriting)
    {
        if (!File.Exists(path))
            return null;
        DurableFiles.RequireNoLink(path);
        var index = new FolderIndex(new FileStream(path, DurableFiles.ForOwner(FileMode.Open, forWriting ? FileAccess.ReadWrite : FileAccess.Read)));
        if (index.IsOf(validity))
        {
            index.ReadTables();
            return index;
        }

        index.Dispose();
        return null;
    }

    /// <summary>Begins anew, in place of what is there.</summary>
    public static FolderIndex Create(string path, UidValidity validity)
    {
        // Not into the old one: somebody may be reading it.
        File.Delete(path);
        var index = new FolderIndex(new FileStream(path, DurableFiles.ForOwner(FileMode.CreateNew, FileAccess.ReadWrite)));
        index.file.Write(Head(validity));
        return index;
    }

    public bool Has(in MessageInfo message) => known.TryGetValue(message.Uid, out var row) && row == IndexedMessage.Of(message);

    /// <summary>Adds messages, some at a time as they come.</summary>
    public async Task AddAsync(IAsyncEnumerable<(MessageInfo Message, MessageTexts Texts)> messages, CancellationToken cancellationToken)
    {
        file.SetLength(end);
        var (rows, texts) = (new List<IndexedMessage>(), new ArrayBufferWriter<byte>());
        await foreach (var (message, text) in messages.WithCancellation(cancellationToken))
        {
            rows.Add(IndexedMessage.Of(message));
            Write(texts, text);
            if (texts.WrittenCount < BlockTextBytes && rows.Count < BlockMessages)
                continue;
            AddBlock(rows, texts.WrittenSpan);
            rows.Clear();
            texts.ResetWrittenCount();
        }

        if (rows.Count > 0)
            AddBlock(rows, texts.WrittenSpan);
    }

    /// <summary>The messages that do not fit, all that is known of. What a damaged block says of nobody is not known any more.</summary>
    public IReadOnlySet<Uid> FindUnfit(FindQuery query, CancellationToken cancellationToken)
    {
        var unfit = new HashSet<Uid>();
        Parallel.ForEach(blocks, new ParallelOptions { CancellationToken = cancellationToken }, block =>
        {
            var passed = new List<Uid>();
            if (ReadTexts(block) is { } texts)
            {
                var rest = texts.AsSpan();
                foreach (var row in block.Rows)
                {
                    // A later row replaces one before.
                    if (!Read(ref rest).MayFit(query) && known[row.Uid] == row)
                        passed.Add(row.Uid);
                }
            }
            else
            {
                IsDamaged = true;
            }

            lock (unfit)
                unfit.UnionWith(passed);
        });
        return unfit;
    }

    /// <summary>A block was not what its check sum says.</summary>
    public bool IsDamaged { get; private set; }

    public void Dispose() => file.Dispose();

    private static byte[] Head(UidValidity validity)
    {
        var head = new byte[HeadBytes];
        Version.CopyTo(head);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(16), validity.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(20), Crc32C.Append(0, head.AsSpan(0, 20)));
        return head;
    }

    private bool IsOf(UidValidity validity)
    {
        var head = new byte[HeadBytes];
        return RandomAccess.Read(file.SafeFileHandle, head, 0) == HeadBytes && head.AsSpan().SequenceEqual(Head(validity));
    }

    private void ReadTables()
    {
        var head = new byte[BlockHeadBytes];
        while (RandomAccess.Read(file.SafeFileHandle, head, end) == BlockHeadBytes)
        {
            var block = new Block(
                end, BinaryPrimitives.ReadInt32LittleEndian(head), BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(4)), BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(8)),
                BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(12)));
            if (block.Count is <= 0 or > BlockMessages || block.PackedBytes is < 0 or > MaxBlockBytes || block.TextBytes is < 0 or > MaxBlockBytes)
                return;
            var table = new byte[block.Count * RowBytes];
            if (RandomAccess.Read(file.SafeFileHandle, table, end + BlockHeadBytes) < table.Length || block.End > RandomAccess.GetLength(file.SafeFileHandle)
                || Crc32C.Append(Crc32C.Append(0, head.AsSpan(0, 16)), table) != BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(16)))
            {
                return;
            }

            for (var at = 0; at < table.Length; at += RowBytes)
            {
                block.Rows.Add(new IndexedMessage(
                    new Uid(BinaryPrimitives.ReadUInt32LittleEndian(table.AsSpan(at))), BinaryPrimitives.ReadInt64LittleEndian(table.AsSpan(at + 4)),
                    BinaryPrimitives.ReadInt64LittleEndian(table.AsSpan(at + 12))));
            }

            Take(block);
        }
    }

    private void Take(Block block)
    {
        blocks.Add(block);
        foreach (var row in block.Rows)
            known[row.Uid] = row;
        RowCount += block.Rows.Count;
        end = block.End;
    }

    private void AddBlock(List<IndexedMessage> rows, ReadOnlySpan<byte> texts)
    {
        using var packed = new MemoryStream();
        using (var packing = new DeflateStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            packing.Write(texts);
        var octets = packed.GetBuffer().AsSpan(0, (int)packed.Length);
        var (head, table) = (new byte[BlockHeadBytes], new byte[rows.Count * RowBytes]);
        for (var i = 0; i < rows.Count; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(table.AsSpan(i * RowBytes), rows[i].Uid.Value);
            BinaryPrimitives.WriteInt64LittleEndian(table.AsSpan((i * RowBytes) + 4), rows[i].Bytes);
            BinaryPrimitives.WriteInt64LittleEndian(table.AsSpan((i * RowBytes) + 12), rows[i].Received);
        }

        var block = new Block(end, rows.Count, octets.Length, texts.Length, Crc32C.Append(0, octets));
        block.Rows.AddRange(rows);
        BinaryPrimitives.WriteInt32LittleEndian(head, block.Count);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(4), block.PackedBytes);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(8), block.TextBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(12), block.Crc);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(16), Crc32C.Append(Crc32C.Append(0, head.AsSpan(0, 16)), table));
        file.Seek(end, SeekOrigin.Begin);
        file.Write(head);
        file.Write(table);
        file.Write(octets);
        file.Flush();
        Take(block);
    }

    /// <summary>Null where they are not what was written.</summary>
    private byte[]? ReadTexts(Block block)
    {
        var packed = new byte[block.PackedBytes];
        if (RandomAccess.Read(file.SafeFileHandle, packed, block.End - packed.Length) < packed.Length || Crc32C.Append(0, packed) != block.Crc)
            return null;
        var texts = new byte[block.TextBytes];
        using var unpacking = new DeflateStream(new MemoryStream(packed), CompressionMode.Decompress);
        unpacking.ReadExactly(texts);
        return texts;
    }

    private static void Write(ArrayBufferWriter<byte> to, MessageTexts texts)
    {
        to.Write([texts.HasAttachment ? (byte)1 : (byte)0]);
        foreach (var text in (string[])[texts.From, texts.To, texts.Subject, texts.Rest])
        {
            var room = to.GetSpan(4 + Encoding.UTF8.GetMaxByteCount(text.Length));
            var length = Encoding.UTF8.GetBytes(text, room[4..]);
            BinaryPrimitives.WriteInt32LittleEndian(room, length);
            to.Advance(4 + length);
        }
    }

    private static MessageTexts Read(ref Span<byte> rest)
    {
        var hasAttachment = rest[0] == 1;
        rest = rest[1..];
        return new MessageTexts(Text(ref rest), Text(ref rest), Text(ref rest), Text(ref rest), hasAttachment);

        static string Text(ref Span<byte> rest)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
            var text = Encoding.UTF8.GetString(rest.Slice(4, length));
            rest = rest[(4 + length)..];
            return text;
        }
    }

    /// <summary>Whose texts they are: another message would have to be given the same UID, be as long and come in the same second.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct IndexedMessage(Uid Uid, long Bytes, long Received)
    {
        public static IndexedMessage Of(in MessageInfo message) => new(message.Uid, message.Size, message.InternalDate.ToUnixTimeSeconds());
    }

    private sealed record Block(long Start, int Count, int PackedBytes, int TextBytes, uint Crc)
    {
        public List<IndexedMessage> Rows { get; } = new(Count);

        public long End => Start + BlockHeadBytes + (Count * RowBytes) + PackedBytes;
    }
}
