using System.Buffers;
using System.Buffers.Binary;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Serving.Finding;

/// <summary>
/// The file with the <see cref="WordFilter"/>s of a folder's messages. It begins with the version and the folder's UIDVALIDITY.
/// Blocks of messages follow, each with a checksum, a table that identifies the messages, and their filters. New blocks are appended.
/// Reading stops at the first damaged block.
/// </summary>
internal sealed class FolderIndex : IDisposable
{
    private const int BlockFilterBytes = 1 << 20;
    private const int BlockMessages = 1000;
    private const int MaxBlockFilterBytes = BlockFilterBytes + (1 << 20);
    private const int HeadBytes = 24;
    private const int BlockHeadBytes = 12;
    private const int RowBytes = 25;

    private readonly FileStream file;
    private readonly Dictionary<Uid, IndexedMessage> known = [];
    private long end = HeadBytes;

    private FolderIndex(FileStream file) => this.file = file;

    /// <summary>The number of messages added to the index file so far, including those that are no longer in the folder.</summary>
    public long AddedCount { get; private set; }

    private static ReadOnlySpan<byte> Version => "imapsync words 1"u8;

    /// <summary>
    /// Opens an existing index. Null if the file is missing, its head is damaged, or it has another version or UIDVALIDITY.
    /// </summary>
    public static FolderIndex? Open(string path, UidValidity validity, bool forWriting)
    {
        if (!File.Exists(path))
            return null;
        DurableFiles.RequireNoLink(path);
        var index = new FolderIndex(new FileStream(path, DurableFiles.ForOwner(FileMode.Open, forWriting ? FileAccess.ReadWrite : FileAccess.Read)));
        if (index.IsOf(validity))
        {
            index.ReadBlocks((_, _, _) => { });
            return index;
        }

        index.Dispose();
        return null;
    }

    /// <summary>Creates an empty index in place of an existing one.</summary>
    public static FolderIndex Create(string path, UidValidity validity)
    {
        // The old file is deleted rather than overwritten, since another process may be reading it.
        File.Delete(path);
        var index = new FolderIndex(new FileStream(path, DurableFiles.ForOwner(FileMode.CreateNew, FileAccess.ReadWrite)));
        index.file.Write(Head(validity));
        index.file.Flush();
        return index;
    }

    public bool Has(in MessageInfo message) => known.TryGetValue(message.Uid, out var row) && row == IndexedMessage.Of(message);

    /// <summary>Adds messages in blocks as they arrive.</summary>
    public async Task AddAsync(IAsyncEnumerable<(MessageInfo Message, MessageTexts Texts)> messages, CancellationToken cancellationToken)
    {
        file.SetLength(end);
        var (rows, filters) = (new ArrayBufferWriter<byte>(), new ArrayBufferWriter<byte>());
        var added = new List<IndexedMessage>();
        await foreach (var (message, texts) in messages.WithCancellation(cancellationToken))
        {
            var filter = WordFilter.Of(texts);
            var row = rows.GetSpan(RowBytes);
            added.Add(IndexedMessage.Of(message));
            BinaryPrimitives.WriteUInt32LittleEndian(row, added[^1].Uid.Value);
            BinaryPrimitives.WriteInt64LittleEndian(row[4..], added[^1].Bytes);
            BinaryPrimitives.WriteInt64LittleEndian(row[12..], added[^1].Received);
            BinaryPrimitives.WriteInt32LittleEndian(row[20..], filter.Length);
            row[24] = texts.HasAttachment ? (byte)1 : (byte)0;
            rows.Advance(RowBytes);
            filters.Write(filter);
            if (filters.WrittenCount >= BlockFilterBytes || added.Count == BlockMessages)
                AddBlock(added, rows, filters);
        }

        if (added.Count > 0)
            AddBlock(added, rows, filters);
    }

    /// <summary>Returns those messages in the index that can't match the query.</summary>
    public IReadOnlySet<Uid> FindUnfit(FindQuery query)
    {
        var question = new WordFilter.Question(query);
        var unfit = new HashSet<Uid>();
        end = HeadBytes;
        ReadBlocks((message, filter, hasAttachment) =>
        {
            // If several messages were added under one UID, only the one added last counts.
            if (question.MayFit(filter, hasAttachment))
                unfit.Remove(message.Uid);
            else
                unfit.Add(message.Uid);
        });
        return unfit;
    }

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

    /// <summary>Reads all blocks from <see cref="end"/> on, and reports each message in the order of addition.</summary>
    private void ReadBlocks(Action<IndexedMessage, ReadOnlySpan<byte>, bool> onMessage)
    {
        known.Clear();
        AddedCount = 0;
        var head = new byte[BlockHeadBytes];
        byte[] block = [];
        while (RandomAccess.Read(file.SafeFileHandle, head, end) == BlockHeadBytes)
        {
            var (count, filterBytes) = (BinaryPrimitives.ReadInt32LittleEndian(head), BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(4)));
            if (count is <= 0 or > BlockMessages || filterBytes is < 0 or > MaxBlockFilterBytes)
                return;
            var length = (count * RowBytes) + filterBytes;
            block = block.Length < length ? new byte[length] : block;
            var octets = block.AsSpan(0, length);
            if (RandomAccess.Read(file.SafeFileHandle, octets, end + BlockHeadBytes) < length
                || Crc32C.Append(Crc32C.Append(0, head.AsSpan(0, 8)), octets) != BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(8)))
            {
                return;
            }

            var filters = octets[(count * RowBytes)..];
            for (var at = 0; at < count * RowBytes; at += RowBytes)
            {
                var row = octets.Slice(at, RowBytes);
                var message = new IndexedMessage(
                    new Uid(BinaryPrimitives.ReadUInt32LittleEndian(row)), BinaryPrimitives.ReadInt64LittleEndian(row[4..]), BinaryPrimitives.ReadInt64LittleEndian(row[12..]));
                if (BinaryPrimitives.ReadInt32LittleEndian(row[20..]) is var filterLength && (filterLength <= 0 || filterLength > filters.Length))
                    return;
                var filter = filters[..filterLength];
                filters = filters[filterLength..];
                Take(message);
                onMessage(message, filter, row[24] == 1);
            }

            end += BlockHeadBytes + length;
        }
    }

    private void Take(in IndexedMessage message)
    {
        known[message.Uid] = message;
        AddedCount++;
    }

    private void AddBlock(List<IndexedMessage> added, ArrayBufferWriter<byte> rows, ArrayBufferWriter<byte> filters)
    {
        var head = new byte[BlockHeadBytes];
        BinaryPrimitives.WriteInt32LittleEndian(head, added.Count);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(4), filters.WrittenCount);
        var crc = Crc32C.Append(Crc32C.Append(Crc32C.Append(0, head.AsSpan(0, 8)), rows.WrittenSpan), filters.WrittenSpan);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(8), crc);
        file.Seek(end, SeekOrigin.Begin);
        file.Write(head);
        file.Write(rows.WrittenSpan);
        file.Write(filters.WrittenSpan);
        file.Flush();
        end += BlockHeadBytes + rows.WrittenCount + filters.WrittenCount;
        foreach (var message in added)
            Take(message);
        added.Clear();
        rows.ResetWrittenCount();
        filters.ResetWrittenCount();
    }

    /// <summary>Identifies the message of a filter, so that another message with the same UID is noticed.</summary>
    private readonly record struct IndexedMessage(Uid Uid, long Bytes, long Received)
    {
        public static IndexedMessage Of(in MessageInfo message) => new(message.Uid, message.Size, message.InternalDate.ToUnixTimeSeconds());
    }
}
