using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>
/// A folder's UIDs in Dovecot's <c>dovecot-uidlist</c>, version 3. Header <c>3 V&lt;uidvalidity&gt; N&lt;uidnext&gt; G&lt;guid&gt;</c>,
/// then lines <c>uid [fields] :unique name</c> in ascending order of UID. Lines are appended under <c>dovecot-uidlist.lock</c>, as Dovecot
/// does. The true UIDNEXT is the greater of N and the last line's UID plus one.
/// </summary>
internal sealed class UidList(string directory, TimeProvider time)
{
    private const int TailBytes = 8 * 1024;
    public const string FileName = "dovecot-uidlist";

    private readonly string path = Path.Combine(directory, FileName);
    private FileStamp seen;
    private bool isParsed;
    private bool isNameNew;

    /// <summary>The list's UIDVALIDITY; none while there is no usable file.</summary>
    public UidValidity Validity { get; private set; }

    public Uid Next { get; private set; } = new(1);

    /// <summary>UIDs by unique name, as of the last <see cref="ReadAll"/>.</summary>
    public NameTable Uids { get; private set; } = new();

    /// <summary>Returns whether this is the list of that folder's directory.</summary>
    public bool IsOf(string folderDirectory) => string.Equals(folderDirectory, directory, StringComparison.Ordinal);

    /// <summary>Octets up to the end of the last complete line: after a crash a torn line may follow.</summary>
    private long WholeLength { get; set; }

    /// <summary>
    /// Reads the header and the last line if the file changed. This is enough to append, and its cost does not grow with the folder.
    /// </summary>
    public void ReadEnds()
    {
        var stamp = CurrentStamp();
        if (stamp == seen)
            return;
        isParsed = false;
        if (stamp == default)
        {
            Forget();
            return;
        }

        using var file = OrdinaryFile.OpenRead(path, followsLinks: true);
        if (!TryReadHeader(file, out var next) || !TryReadTail(file, next))
            ReadWhole(file);
        seen = stamp;
    }

    /// <summary>Reads the whole file if it changed; returns whether it did.</summary>
    public bool ReadAll()
    {
        var stamp = CurrentStamp();
        if (stamp == seen && (isParsed || stamp == default))
            return false;
        if (stamp == default)
        {
            Forget();
            return true;
        }

        using var file = OrdinaryFile.OpenRead(path, followsLinks: true);
        ReadWhole(file);
        seen = stamp;
        return true;
    }

    /// <summary>Locks the list and reads its header and last line. Creates a new list where no usable one exists.</summary>
    public async Task<HeldUidList> HoldAsync(CancellationToken cancellationToken)
    {
        var dotLock = await DotLock.AcquireAsync(path, time, cancellationToken);
        try
        {
            ReadEnds();
            if (Validity.IsNone)
                Create();
            return new HeldUidList(this, dotLock);
        }
        catch
        {
            await dotLock.DisposeAsync();
            throw;
        }
    }

    public void Sync()
    {
        Posix.SyncFile(path);
    }

    /// <summary>
    /// Syncs the folder's directory if this object created the list there and has not synced it yet. This makes other new names in the
    /// directory durable, too.
    /// </summary>
    public void SyncName()
    {
        if (!isNameNew)
            return;
        Posix.SyncDirectory(directory);
        isNameNew = false;
    }

    /// <summary>Appends lines; the lock must be held.</summary>
    public void Append(IReadOnlyList<string> uniqueNames)
    {
        var text = new StringBuilder(uniqueNames.Count * 80);
        var uid = Next.Value;
        if (uid > uint.MaxValue - uniqueNames.Count)
            throw new MailException(FailureScope.Folder, isTransient: false, $"{path}: UIDs are used up");
        foreach (var name in uniqueNames)
            text.Append(CultureInfo.InvariantCulture, $"{uid++} :{name}\n");
        using (var file = Posix.OpenOwn(path, create: true))
        {
            var lines = Encoding.UTF8.GetBytes(text.ToString());
            if (RandomAccess.GetLength(file) > WholeLength)
                RandomAccess.SetLength(file, WholeLength);
            Posix.Write(file, path, lines, WholeLength);
            WholeLength += lines.Length;
        }

        for (var i = 0; isParsed && i < uniqueNames.Count; i++)
            Uids.Set(uniqueNames[i], Next.Value + (uint)i);
        Next = new Uid(uid);
        seen = CurrentStamp();
    }

    private FileStamp CurrentStamp() => FileStamp.Of(path);

    private void Create()
    {
        var validity = (uint)Math.Clamp(time.GetUtcNow().ToUnixTimeSeconds(), 1, uint.MaxValue);
        var header = string.Create(CultureInfo.InvariantCulture, $"3 V{validity} N1 G{RandomNumberGenerator.GetHexString(32, lowercase: true)}\n");
        // No sync is needed here, because the file is synced before the first UID is reported. If a power failure comes before that, the
        // empty list is created again.
        LocalFiles.Replace(path, Encoding.ASCII.GetBytes(header), sync: false);
        isNameNew = true;
        Forget();
        Validity = new UidValidity(validity);
        // The list is not marked as read, because names appended from here on would then have to be kept in memory.
        WholeLength = header.Length;
        seen = CurrentStamp();
    }

    private void Forget()
    {
        // A new table replaces the old one, since a listing in progress still uses the old one.
        Uids = new NameTable();
        (Validity, Next, WholeLength, seen, isParsed) = (UidValidity.None, new Uid(1), 0, default, false);
    }

    private void ReadWhole(FileStream file)
    {
        Forget();
        isParsed = true;
        if (!TryReadHeader(file, out var next))
            return;
        file.Position = 0;
        var last = 0u;
        WholeLength = NameLines.Read(file, line =>
        {
            if (NameLines.TryParse(line, out var uid, out var name) && uid > last)
            {
                last = uid;
                Uids.Set(MaildirName.UniqueNameOf(name), uid);
            }
        });
        Next = new Uid(Math.Max(next, last == uint.MaxValue ? last : last + 1));
    }

    private bool TryReadHeader(FileStream file, out uint next)
    {
        Span<byte> start = stackalloc byte[512];
        file.Position = 0;
        start = start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        var end = start.IndexOf((byte)'\n');
        Validity = UidValidity.None;
        next = 1;
        if (end < 0 || !start.StartsWith("3 "u8))
            return false;
        var header = Encoding.UTF8.GetString(start[..end]);
        foreach (var field in header.Split(' '))
        {
            if (field.StartsWith('V') && uint.TryParse(field.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var validity))
                Validity = new UidValidity(validity);
            else if (field.StartsWith('N') && uint.TryParse(field.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n > 0)
                next = n;
        }

        return !Validity.IsNone;
    }

    /// <summary>Reads the last complete line. Returns false where the line can't be parsed.</summary>
    private bool TryReadTail(FileStream file, uint next)
    {
        Span<byte> tail = stackalloc byte[(int)Math.Min(TailBytes, file.Length)];
        var start = file.Length - tail.Length;
        file.Position = start;
        tail = tail[..file.ReadAtLeast(tail, tail.Length, throwOnEndOfStream: false)];
        var end = tail.LastIndexOf((byte)'\n');
        if (end < 0)
            return false;
        WholeLength = start + end + 1;
        var before = tail[..end].LastIndexOf((byte)'\n');
        if (before < 0)
        {
            // The tail has only one complete line. If the tail begins at the start of the file, this line is the header and the list is
            // empty.
            Next = new Uid(next);
            return start == 0;
        }

        if (!NameLines.TryParse(tail[(before + 1)..end], out var last, out _) || last == uint.MaxValue)
            return false;
        Next = new Uid(Math.Max(next, last + 1));
        return true;
    }
}

/// <summary>
/// The list while its lock is held. <see cref="Write"/> writes all new lines together; without it the file does not change.
/// </summary>
internal sealed class HeldUidList(UidList list, DotLock dotLock) : IAsyncDisposable
{
    private readonly List<string> added = [];

    /// <returns>The UID that the message will have once <see cref="Write"/> has returned.</returns>
    public Uid Add(string uniqueName)
    {
        var uid = list.Next.Value + (ulong)added.Count;
        if (uid >= uint.MaxValue)
            throw new MailException(FailureScope.Folder, isTransient: false, "the folder's UIDs are used up");
        added.Add(uniqueName);
        return new Uid((uint)uid);
    }

    public void Write()
    {
        if (added.Count > 0)
            list.Append(added);
        added.Clear();
    }

    public ValueTask DisposeAsync() => dotLock.DisposeAsync();
}
