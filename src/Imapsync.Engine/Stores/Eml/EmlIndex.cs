using System.Globalization;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>
/// The index file in a folder's directory. It holds what <c>.eml</c> files can't hold: UIDs, flags and dates. Each message and each change is
/// one line, which is appended and synced. A line's CRC also covers all lines before it (<see cref="RecordWriter"/>):
/// <code>
/// imapsync-eml 1 UIDVALIDITY UIDNEXT        first line; 1 is the version, UIDNEXT is as of the time when this line was written
/// m UID OCTETS DATE NAME FLAG...            a message that this program wrote; a further line with the same UID gives its new file name
/// a UID OCTETS DATE NAME FLAG...            a message whose file somebody else put there; DATE is "-"
/// f UID FLAG...                             a message's new flags, which replace the former ones
/// x UID                                     a message that was removed
/// </code>
/// A message without a file is gone, whatever the index says, and a file that is not in the index is a message without a UID. So the index is
/// written before files get their final names, and after files were removed. UIDs of new messages ascend. In every version of the format the
/// first line names the version and has its own CRC, so that the program can distinguish a later version from damage.
/// </summary>
internal sealed class EmlIndex(string directory, TimeProvider time)
{
    public const string FileName = FileNames.IndexSuffix;

    /// <summary>
    /// Stands in a record in place of the position of the message's file name, and means that the message was removed. <see cref="Keep"/>
    /// drops such records.
    /// </summary>
    private const int Gone = -1;

    /// <summary>
    /// The file is rewritten only if it has more than this many lines beyond two lines per message: a few obsolete lines are not worth the work.
    /// </summary>
    private const int SpareLines = 1000;

    private readonly string path = System.IO.Path.Combine(directory, FileName);
    private readonly FlagSetPool pool = new();
    private BlockList<EmlRecord> records = new();
    private NameTable names = new();
    private FileStamp seen;
    private uint crc;
    private uint last;
    private long wholeLength;
    private long lines;

    /// <summary>The index file's path. A lock on this path (<see cref="DotLock"/>) protects each change of the folder.</summary>
    public string Path => path;

    /// <summary>None if there is no index file or its first line is damaged.</summary>
    public UidValidity Validity { get; private set; }

    public Uid Next { get; private set; } = new(1);

    /// <summary>
    /// Whether lines of the file are damaged, so that a new file has to be created. The other lines were read, but it is unknown which UIDs the
    /// damaged lines contained.
    /// </summary>
    public bool IsDamaged { get; private set; }

    /// <summary>Whether the file has not changed since it was last read or written here.</summary>
    public bool IsUnchanged => seen != default && seen == FileStamp.Of(path);

    public int Count => records.Count;

    public EmlRecord this[int at] => records[at];

    public string NameOf(in EmlRecord record) => names.NameAt(record.Slot);

    /// <summary>Returns whether a directory has an index file.</summary>
    public static bool IsIn(string directory) => File.Exists(System.IO.Path.Combine(directory, FileName));

    /// <summary>Returns the position of the message with this UID, or the bitwise complement of the position where it would be inserted.</summary>
    public int Find(Uid uid)
    {
        int low = 0, high = records.Count;
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (records[middle].Uid < uid)
                low = middle + 1;
            else
                high = middle;
        }

        return low < records.Count && records[low].Uid == uid ? low : ~low;
    }

    /// <summary>Returns the position of the message whose file has this name, or -1 if there is none.</summary>
    public int FindName(ReadOnlySpan<char> name)
    {
        if (!names.TryFind(name, out var slot) || Find(new Uid(names.UidAt(slot))) is not (>= 0 and var at))
            return -1;
        return records[at].Slot == slot ? at : -1;
    }

    /// <summary>Reads the file if it has changed. Returns whether it had.</summary>
    /// <exception cref="MailException">Folder scope: a later version of this program wrote the file. The file is left unchanged.</exception>
    public bool Refresh()
    {
        if (IsUnchanged)
            return false;
        var stamp = FileStamp.Of(path);
        Forget();
        if (stamp == default)
            return true;
        using (var file = OrdinaryFile.OpenRead(path))
            Read(file);
        Keep(_ => true);
        seen = stamp;
        return true;
    }

    /// <summary>
    /// Durably creates a new file with a new UIDVALIDITY, if there is none or it is damaged. Records that were read from a damaged file are kept,
    /// because flags and dates are stored nowhere else.
    /// </summary>
    public void Create()
    {
        // UIDVALIDITY is the time in seconds. If the folder holds messages, it may have lost an index that was created within this very second.
        // One second is added, so that the new index does not get the same UIDVALIDITY.
        var spent = Directory.EnumerateFiles(directory).Any(EmlTree.IsEml) ? 1 : 0;
        Validity = new UidValidity((uint)Math.Clamp(Math.Max(time.GetUtcNow().ToUnixTimeSeconds() + spent, Validity.Value + 1L), 1, uint.MaxValue));
        IsDamaged = false;
        Rewrite();
    }

    /// <summary>
    /// Rewrites the file if most of its lines are obsolete. The caller must first drop the records of messages without a file
    /// (<see cref="Keep"/>).
    /// </summary>
    public void RewriteIfWorthwhile()
    {
        if (lines > (2L * records.Count) + SpareLines)
            Rewrite();
    }

    /// <summary>Returns an empty list of lines, to be filled and passed to <see cref="Append"/>.</summary>
    public EmlLines Begin() => new(crc);

    /// <summary>Appends lines durably to the file and applies them to the records in memory. The caller must hold the lock.</summary>
    public void Append(EmlLines added)
    {
        if (added.IsEmpty)
            return;
        seen = default;
        using (var file = Posix.OpenOwn(path, create: false))
        {
            if (RandomAccess.GetLength(file) > wholeLength)
                RandomAccess.SetLength(file, wholeLength);
            Posix.Write(file, path, added.Octets.Span, wholeLength);
            RandomAccess.FlushToDisk(file);
        }

        NameLines.Read(new MemoryStream(added.Octets.ToArray()), line => _ = Take(line));
        Keep(_ => true);
        wholeLength += added.Octets.Length;
        seen = FileStamp.Of(path);
    }

    /// <summary>
    /// Drops the records of removed messages, and of those without a file, from memory. The file contains them until it is rewritten.
    /// </summary>
    /// <param name="isThere">Returns whether the message at a position has a file.</param>
    public void Keep(Func<int, bool> isThere)
    {
        var kept = 0;
        for (var at = 0; at < records.Count; at++)
        {
            if (records[at].Slot != Gone && isThere(at))
                records[kept++] = records[at];
        }

        records.Cut(kept);
    }

    /// <summary>Records, in memory only, that a message's file has a new name.</summary>
    public void Rename(int at, string name)
    {
        var record = records[at];
        records[at] = RecordOf(record.Uid, name, record.Flags, record.Date, record.Size, record.IsFound);
    }

    /// <summary>Adds a message in memory only. Its UID must be higher than any recorded one.</summary>
    public void AddForSession(in EmlRecord record, string name) => Add(record.Uid, name, record.Flags, record.Date, record.Size, record.IsFound);

    /// <summary>Returns a record for a file that somebody else put there. The record has no UID yet.</summary>
    public static EmlRecord RecordOf(FileInfo file) => new(Uid.None, Gone, FlagSet.Empty, new DateTimeOffset(file.LastWriteTimeUtc, TimeSpan.Zero), file.Length, IsFound: true);

    private void Forget()
    {
        (records, names) = (new BlockList<EmlRecord>(), new NameTable());
        (Validity, Next, IsDamaged, seen, crc, last, wholeLength, lines) = (UidValidity.None, new Uid(1), false, default, 0, 0, 0, 0);
    }

    private void Read(FileStream file)
    {
        var end = NameLines.Read(file, line =>
        {
            if (Take(line))
                wholeLength += line.Length + 1;
            else
                IsDamaged = true;
        });
        IsDamaged |= Validity.IsNone || IsWholeLine(file, end);
    }

    /// <summary>
    /// Returns whether the octets after the last line end are a complete line in which only the line end was changed to another octet. That is
    /// damage. Any other remainder is a line that was not written completely, which is harmless: the program relies on a line only when it is
    /// durable.
    /// </summary>
    /// <param name="start">The position after the last line end.</param>
    private bool IsWholeLine(FileStream file, long start)
    {
        var rest = new byte[(int)Math.Min(file.Length - start, RecordWriter.MaxLineBytes)];
        file.Position = start;
        var length = file.ReadAtLeast(rest, rest.Length, throwOnEndOfStream: false);
        return length > 1 && rest[length - 1] != '\n' && RecordWriter.TrySplit(rest.AsSpan(0, length - 1), out var record, out var written) && Crc32C.Append(crc, record) == written;
    }

    /// <summary>Applies one line of the file. Returns false if the line is damaged or not valid at this position.</summary>
    private bool Take(ReadOnlySpan<byte> line)
    {
        var isFirst = lines++ == 0;
        if (!RecordWriter.TrySplit(line, out var record, out var written))
            return false;
        var isWhole = Crc32C.Append(crc, record) == written;
        // If a line is damaged, its check sum itself is most likely intact. The next line's check sum builds on it, so the next line can be
        // verified all the same.
        crc = written;
        try
        {
            return isWhole && (isFirst ? TryBegin(record) : TryApply(record));
        }
        catch (StateDamagedException)
        {
            return false;
        }
    }

    private bool TryBegin(ReadOnlySpan<byte> record)
    {
        var fields = new RecordFields(record);
        if (!fields.Next().SequenceEqual(EmlLines.Magic) || fields.Number() is not (> 0 and var version))
            return false;
        if (version > EmlLines.Version)
        {
            throw new MailException(
                FailureScope.Folder,
                isTransient: false,
                $"{path} has format version {version}, this program reads up to {EmlLines.Version}: use the newer version that wrote it, or move the file away (flags then come from the source, and nothing is copied again)");
        }

        (Validity, Next) = (new UidValidity(fields.Number32()), new Uid(fields.Number32()));
        fields.End();
        return !Validity.IsNone && !Next.IsNone;
    }

    private bool TryApply(ReadOnlySpan<byte> record)
    {
        var fields = new RecordFields(record);
        var word = fields.Next();
        var isFound = word.SequenceEqual(EmlLines.Found);
        var uid = new Uid(fields.Number32());
        var at = Find(uid);
        if (word.SequenceEqual(EmlLines.Message) || isFound)
        {
            var size = (long)fields.Number();
            DateTimeOffset date = default;
            if (fields.Text() is { } text && !DateTimeOffset.TryParseExact(text, EmlLines.DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out date))
                return false;
            var name = fields.RequiredText();
            if (!IsFileName(name) || uid.IsNone || uid.Value == uint.MaxValue || (at < 0 && uid.Value <= last))
                return false;
            if (at >= 0)
                records[at] = RecordOf(uid, name, EmlLines.Flags(ref fields), date, size, isFound);
            else
                Add(uid, name, EmlLines.Flags(ref fields), date, size, isFound);
            return true;
        }

        // A flag change for a message that is no longer recorded has no effect.
        if (word.SequenceEqual(EmlLines.Changed))
        {
            var flags = pool.Intern(EmlLines.Flags(ref fields));
            if (at >= 0)
                records[at] = records[at] with { Flags = flags };
            return true;
        }

        if (!word.SequenceEqual(EmlLines.Removed))
            return false;
        fields.End();
        if (at >= 0)
            records[at] = records[at] with { Slot = Gone };
        return true;
    }

    private void Add(Uid uid, string name, FlagSet flags, DateTimeOffset date, long size, bool isFound)
    {
        records.Add(RecordOf(uid, name, flags, date, size, isFound));
        last = uid.Value;
        Next = new Uid(Math.Max(Next.Value, last + 1));
    }

    private EmlRecord RecordOf(Uid uid, string name, FlagSet flags, DateTimeOffset date, long size, bool isFound)
    {
        names.Set(name, uid.Value);
        return names.TryFind(name, out var slot) ? new EmlRecord(uid, slot, pool.Intern(flags), date, size, isFound) : throw new InvalidOperationException("a name was lost");
    }

    /// <summary>Writes all records to a new file, in pieces, and replaces the old file with it.</summary>
    private void Rewrite()
    {
        var temporary = path + FileNames.NewSuffix;
        var text = EmlLines.New(Validity, Next);
        var (length, count) = (0L, 1L);
        try
        {
            using var file = Posix.CreateAnew(temporary);
            for (var at = 0; at < records.Count; at++, count++)
            {
                text.Add(records[at], NameOf(records[at]));
                Flush(file, 1 << 16);
            }

            Flush(file, 0);
            RandomAccess.FlushToDisk(file);
        }
        catch
        {
            LocalFiles.TryDelete([temporary]);
            throw;
        }

        Posix.Rename(temporary, path);
        Posix.SyncDirectory(directory);
        (crc, wholeLength, lines, seen) = (text.Crc, length, count, FileStamp.Of(path));

        void Flush(Microsoft.Win32.SafeHandles.SafeFileHandle file, int beyond)
        {
            if (text.Octets.Length <= beyond)
                return;
            Posix.Write(file, temporary, text.Octets.Span, length);
            length += text.Octets.Length;
            text.Clear();
        }
    }

    /// <summary>Returns whether a name is a plain file name, so that a damaged or forged index can't refer to a file in another directory.</summary>
    private static bool IsFileName(string name) => name is not ("." or "..") && name.AsSpan().IndexOfAny('/', '\0') < 0 && !(OperatingSystem.IsWindows() && name.Contains('\\', StringComparison.Ordinal));
}
