using Imapsync.Engine.Files;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>An index file as read, before it is compared with its mbox.</summary>
internal sealed class MboxIndex
{
    private const int MaxLineLength = 200_000;

    private readonly List<MboxRecord> records = [];
    private int promised;

    private MboxIndex()
    {
    }

    public IndexCondition Condition { get; private set; } = IndexCondition.Missing;

    public UidValidity Validity { get; private set; }

    public Uid UidNext { get; private set; }

    public IReadOnlyList<MboxRecord> Records => records;

    /// <summary>
    /// The length and time that the mbox had according to the index's last "done" line (<see cref="IndexLines"/>); null if there is none.
    /// </summary>
    public MboxStamp? Stamp { get; private set; }

    /// <summary>The window (batch of appended messages) whose writer was interrupted; null if none was.</summary>
    public InterruptedWindow? Interrupted { get; private set; }

    /// <summary>Whether the file has octets after its last valid line, so that nothing may be appended to it.</summary>
    public bool IsTorn { get; private set; }

    /// <summary>Octets up to the end of the last valid line.</summary>
    public long GoodLength { get; private set; }

    /// <summary>Reads an index. A torn last line is ignored. Other damage makes the index <see cref="IndexCondition.Damaged"/>.</summary>
    public static async Task<MboxIndex> LoadAsync(string path, CancellationToken cancellationToken)
    {
        var index = new MboxIndex();
        if (!File.Exists(path))
            return index;
        if (Nodes.KindOf(path) is NodeKind.Other)
        {
            index.Condition = IndexCondition.Damaged;
            return index;
        }

        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var input = new MboxInput(file);
        var length = input.Length;
        var pool = new FlagSetPool();
        index.Condition = IndexCondition.Good;
        while (index.GoodLength < length)
        {
            var line = await input.GetLineAsync(index.GoodLength, MaxLineLength, cancellationToken);
            var words = line is { } octets ? IndexLines.Read(octets.Span) : null;
            if (words is null || !index.Take(words, pool))
            {
                // An interrupted writer leaves only the last line torn. Damage in an earlier line has another cause, so the whole index is
                // unreliable.
                var isLast = line is null ? length - index.GoodLength <= MaxLineLength : index.GoodLength + line.Value.Length + 1 >= length;
                index.IsTorn = true;
                index.Condition = isLast ? index.Condition : IndexCondition.Damaged;
                break;
            }

            index.GoodLength += line!.Value.Length + 1;
        }

        if (index.Validity.IsNone || index.records.Count < index.promised)
            index.Condition = IndexCondition.Damaged;
        return index;
    }

    /// <summary>Writes a whole index to a temporary file and renames it into place. The index is durable when this returns.</summary>
    public static async Task SaveAsync(string path, MboxState state, CancellationToken cancellationToken)
    {
        var temporary = path + FileNames.NewSuffix;
        await LocalFiles.WriteBesideAsync(temporary, async file =>
        {
            using var buffer = new ByteBuffer();
            long position = 0;
            IndexLines.AppendHeader(buffer, state.Validity, state.UidNext, state.Records.Count);
            foreach (var record in state.Records)
            {
                IndexLines.AppendMessage(buffer, record);
                if (buffer.Count < MboxInput.BlockBytes)
                    continue;
                await RandomAccess.WriteAsync(file, buffer.Written, position, cancellationToken);
                position += buffer.Count;
                buffer.Clear();
            }

            IndexLines.AppendDone(buffer, state.Stamp, state.UidNext, state.Records.Count);
            await RandomAccess.WriteAsync(file, buffer.Written, position, cancellationToken);
            RandomAccess.FlushToDisk(file);
            return true;
        });
        File.Move(temporary, path, overwrite: true);
        Posix.SyncDirectory(System.IO.Path.GetDirectoryName(path)!);
    }

    /// <summary>Returns a copy of the index without its interrupted window, for a file from which the torn messages were removed.</summary>
    public MboxIndex WithoutWindow()
    {
        var copy = new MboxIndex { Condition = Condition, Validity = Validity, UidNext = UidNext, Stamp = Stamp, GoodLength = GoodLength };
        copy.records.AddRange(records);
        return copy;
    }

    private bool Take(string[] words, FlagSetPool pool) => words[0] switch
    {
        IndexLines.Magic => TakeHeader(words),
        _ when Validity.IsNone => false,
        "m" => TakeMessage(IndexLines.ReadMessage(words, pool)),
        "w" => TakeWindow(words),
        "b" => TakeBegin(words),
        "d" => TakeDone(words),
        _ => false,
    };

    private bool TakeHeader(string[] words)
    {
        if (!Validity.IsNone || words.Length != 5 || words[1] != "1" || !IndexLines.TryNumber(words[2], out var validity)
            || !IndexLines.TryNumber(words[3], out var next) || !IndexLines.TryNumber(words[4], out var count)
            || validity > uint.MaxValue || next > uint.MaxValue || count > int.MaxValue)
            return false;
        (Validity, UidNext, promised) = (new UidValidity((uint)validity), new Uid((uint)next), (int)count);
        return !Validity.IsNone && !UidNext.IsNone;
    }

    private bool TakeMessage(MboxRecord? record)
    {
        if (record is null || (records.Count > 0 && record.Uid <= records[^1].Uid))
            return false;
        records.Add(record);
        if (UidNext <= record.Uid)
            UidNext = new Uid(record.Uid.Value + 1);
        return true;
    }

    private bool TakeWindow(string[] words)
    {
        if (words.Length != 3 || !IndexLines.TryNumber(words[1], out var offset) || !TakeNext(words[2]))
            return false;
        Interrupted = new InterruptedWindow(offset, []);
        return true;
    }

    private bool TakeBegin(string[] words)
    {
        if (words.Length != 4 || Interrupted is null || !IndexLines.TryNumber(words[1], out var offset) || !IndexLines.TryNumber(words[2], out var octets))
            return false;
        Interrupted.Begun[offset] = new BegunMessage(octets, FileNames.Unescape(words[3]));
        return true;
    }

    private bool TakeDone(string[] words)
    {
        if (words.Length != 5 || !IndexLines.TryNumber(words[1], out var length) || !IndexLines.TryNumber(words[2], out var modified) || !TakeNext(words[3]))
            return false;
        Stamp = new MboxStamp(length, modified);
        Interrupted = null;
        return words[4] == records.Count.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    private bool TakeNext(string word)
    {
        if (!IndexLines.TryNumber(word, out var next) || next > uint.MaxValue || new Uid((uint)next) < UidNext)
            return false;
        UidNext = new Uid((uint)next);
        return true;
    }
}

internal enum IndexCondition
{
    Missing,
    Good,
    Damaged,
}
