using System.Globalization;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>
/// The file in a folder's directory that holds what its <c>.eml</c> files can't: UIDs, flags and dates. A line for each message and each change,
/// appended and synced; a line's CRC covers all lines before it (<see cref="RecordWriter"/>):
/// <code>
/// imapsync-eml 1 UIDVALIDITY UIDNEXT        first line, UIDNEXT as of its writing
/// m UID OCTETS DATE NAME FLAG...            a message that was written here; again under the same UID: the file has another name now
/// a UID OCTETS DATE NAME FLAG...            one that somebody else put there, DATE is "-"
/// f UID FLAG...                             a message's flags from here on
/// x UID                                     a message that was removed
/// </code>
/// A message whose file is not there is gone, whatever the index says, and a file that the index lacks is a message without UID. So the index is
/// written before files get their names, and after files were removed. UIDs of new messages ascend. In every version, the first line names the
/// version and has its own CRC, so that a later version can be told from damage.
/// </summary>
internal sealed class EmlIndex(string directory, TimeProvider time)
{
    public const string FileName = FileNames.IndexSuffix;

    /// <summary>In place of a slot: the message was removed, and its record is dropped after the lines at hand.</summary>
    private const int Gone = -1;

    /// <summary>Lines that change nothing any more are worth rewriting the file only when there are many.</summary>
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

    /// <summary>The file's path, which is also what is locked for a change.</summary>
    public string Path => path;

    /// <summary>None while there is no usable file.</summary>
    public UidValidity Validity { get; private set; }

    public Uid Next { get; private set; } = new(1);

    /// <summary>Whether lines of the file are wrong, so that a new one has to be made. What the other lines say was read; which UIDs are missing is not known.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>Whether the file is the one read last.</summary>
    public bool IsUnchanged => seen != default && seen == FileStamp.Of(path);

    public int Count => records.Count;

    public EmlRecord this[int at] => records[at];

    public string NameOf(in EmlRecord record) => names.NameAt(record.Slot);

    /// <summary>Whether a directory has an index.</summary>
    public static bool IsIn(string directory) => File.Exists(System.IO.Path.Combine(directory, FileName));

    /// <summary>Returns the position of the message with this UID, or the complement of the position it would have.</summary>
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

    /// <summary>Returns the position of the message whose file has this name, or -1.</summary>
    public int FindName(ReadOnlySpan<char> name)
    {
        if (!names.TryFind(name, out var slot) || Find(new Uid(names.UidAt(slot))) is not (>= 0 and var at))
            return -1;
        return records[at].Slot == slot ? at : -1;
    }

    /// <summary>Reads the file if it changed; returns whether it did.</summary>
    /// <exception cref="MailException">Folder scope: a later version of this program wrote the file, which is left as it is.</exception>
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
    /// Makes a new file, durably, with a UIDVALIDITY of its own, in place of none or of a damaged one. What was read of a damaged one stays:
    /// flags and dates are nowhere else.
    /// </summary>
    public void Create()
    {
        // A folder with messages had an index before, which may have been made in this very second: its UIDVALIDITY must not come again.
        var spent = Directory.EnumerateFiles(directory).Any(EmlTree.IsEml) ? 1 : 0;
        Validity = new UidValidity((uint)Math.Clamp(Math.Max(time.GetUtcNow().ToUnixTimeSeconds() + spent, Validity.Value + 1L), 1, uint.MaxValue));
        IsDamaged = false;
        Rewrite();
    }

    /// <summary>Writes the file anew where most of its lines change nothing any more. Records without a file are to be removed before.</summary>
    public void RewriteIfWorthwhile()
    {
        if (lines > (2L * records.Count) + SpareLines)
            Rewrite();
    }

    /// <summary>Begins lines to append.</summary>
    public EmlLines Begin() => new(crc);

    /// <summary>Appends lines durably; from then on the index has what they say. The lock must be held.</summary>
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

    /// <summary>Drops the records of messages whose files are gone; the file keeps them until it is written anew.</summary>
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

    /// <summary>Records for this session only that a message's file has another name.</summary>
    public void Rename(int at, string name)
    {
        var record = records[at];
        records[at] = RecordOf(record.Uid, name, record.Flags, record.Date, record.Size, record.IsFound);
    }

    /// <summary>Adds a message for this session only; its UID is higher than any recorded.</summary>
    public void AddForSession(in EmlRecord record, string name) => Add(record.Uid, name, record.Flags, record.Date, record.Size, record.IsFound);

    /// <summary>Returns the record of a file that somebody else put there; it has no UID yet.</summary>
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
    /// Whether what follows the last line end is a whole line but for its own end, which is damage. Anything else there is a write that was cut
    /// short: nothing relied on it, since lines are durable before anything does.
    /// </summary>
    private bool IsWholeLine(FileStream file, long start)
    {
        var rest = new byte[(int)Math.Min(file.Length - start, RecordWriter.MaxLineBytes)];
        file.Position = start;
        var length = file.ReadAtLeast(rest, rest.Length, throwOnEndOfStream: false);
        return length > 1 && rest[length - 1] != '\n' && RecordWriter.TrySplit(rest.AsSpan(0, length - 1), out var record, out var written) && Crc32C.Append(crc, record) == written;
    }

    /// <returns>False where the line is no record that can stand there.</returns>
    private bool Take(ReadOnlySpan<byte> line)
    {
        var isFirst = lines++ == 0;
        if (!RecordWriter.TrySplit(line, out var record, out var written))
            return false;
        var isWhole = Crc32C.Append(crc, record) == written;
        // Of a wrong line, the check sum is most likely right, and then shows that the next line is.
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

        // A change of a message that is gone changes nothing.
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

    /// <summary>Writes what is known in a new file, some lines at a time, and puts it in the old one's place.</summary>
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

    /// <summary>Whether this is a name in the directory itself, so that a damaged or forged index leads nowhere else.</summary>
    private static bool IsFileName(string name) => name is not ("." or "..") && name.AsSpan().IndexOfAny('/', '\0') < 0 && !(OperatingSystem.IsWindows() && name.Contains('\\', StringComparison.Ordinal));
}
