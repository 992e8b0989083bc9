using System.Collections.Immutable;
using System.IO.Enumeration;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>
/// An info part of file names, with the flags it stands for. A folder has only a few info parts, which its messages share.
/// </summary>
internal sealed record InfoPart(string Text, FlagSet Flags);

/// <param name="UniqueName">The file's name without its info part.</param>
/// <param name="InNew">Whether the file is in new/; otherwise it is in cur/.</param>
internal readonly record struct MaildirMessage(uint Uid, string UniqueName, InfoPart Info, bool InNew)
{
    public string FileName => InNew ? "new/" + UniqueName + Info.Text : "cur/" + UniqueName + Info.Text;
}

/// <summary>
/// The messages of one folder in order of UID, as of the last <see cref="Refresh"/>: the files in new/ and cur/ with their UIDs from the
/// uidlist.
/// </summary>
internal sealed class MaildirIndex(string directory, UidList uidList, MaildirKeywords keywords)
{
    private const int MaxScans = 5;
    private readonly Dictionary<string, InfoPart> infos = [];
    private readonly string newDirectory = Path.Combine(directory, "new");
    private readonly string curDirectory = Path.Combine(directory, "cur");
    private (DateTime New, DateTime Cur)? scannedAt;
    private MaildirMessages messages = new(uidList.Uids, new NameTable());
    private HashSet<string> unlisted = [];
    private readonly HashSet<string> noFiles = [];
    private readonly HashSet<string> unnameable = [];

    /// <summary>The messages in ascending order of UID.</summary>
    public MaildirMessages Messages => messages;

    /// <summary>Unique names of files that the uidlist lacks, in the order in which UIDs are to be assigned.</summary>
    public ImmutableArray<string> Unlisted { get; private set; } = [];

    /// <summary>
    /// The UIDs from the job's state, for a folder that must not be written to. They take precedence over those in the uidlist.
    /// </summary>
    public NameTable Remembered { get; set; } = new();

    /// <summary>
    /// Files that share their unique name with another message and have no UID yet. Their keys (<see cref="SharedName.Key"/>) are among
    /// <see cref="Unlisted"/>.
    /// </summary>
    public IReadOnlyList<SharedName> Sharing { get; private set; } = [];

    /// <summary>How many files are in new/ and cur/, whether they are messages or not.</summary>
    public long Files { get; private set; }

    /// <summary>Names of entries in new/ and cur/ that are not files.</summary>
    public IReadOnlySet<string> NoFiles => noFiles;

    /// <summary>Files whose names are not UTF-8, in a form that can be displayed.</summary>
    public IReadOnlySet<string> Unnameable => unnameable;

    /// <summary>Reads again what has changed since the last call.</summary>
    /// <param name="force">Read the directories even if their dates have not changed.</param>
    public void Refresh(bool force = false)
    {
        if (keywords.Refresh())
        {
            infos.Clear();
            force = true;
        }

        // If remembered UIDs are in use, the uidlist is not read again, because new lines in it may have the same UIDs.
        var listChanged = Remembered.Count == 0 && uidList.ReadAll();
        if (listChanged || force || scannedAt != Dates())
            Scan();
    }

    /// <summary>Finds the message with this UID, if it exists.</summary>
    public bool TryFind(uint uid, out MaildirMessage message)
    {
        var at = PositionOf(messages, uid);
        message = at < messages.Count ? messages[at] : default;
        return message.Uid == uid && uid != 0;
    }

    /// <summary>Returns the position of the first message with this UID or a higher one.</summary>
    public static int PositionOf(MaildirMessages messages, uint uid)
    {
        int low = 0, high = messages.Count;
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (messages.UidAt(middle) < uid)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    public InfoPart Info(ReadOnlySpan<char> text)
    {
        var lookup = infos.GetAlternateLookup<ReadOnlySpan<char>>();
        if (lookup.TryGetValue(text, out var info))
            return info;
        info = new InfoPart(text.ToString(), MaildirInfo.Flags(text, keywords.Slots));
        infos.Add(info.Text, info);
        return info;
    }

    /// <summary>Counts the files without examining their names.</summary>
    public static long CountFiles(string directory) =>
        Directory.Exists(directory) ? Entries(directory, withDirectories: false, static (ref e) => 0).LongCount() : 0;

    /// <summary>
    /// Reads new/ first, then cur/, because files move from new/ to cur/. If a directory changed during the scan, the scan is repeated,
    /// because a rename can hide or double a file. After the last attempt, everything seen in any scan counts.
    /// </summary>
    private void Scan()
    {
        unlisted = [];
        noFiles.Clear();
        unnameable.Clear();
        Files = 0;
        var found = new MaildirMessages(uidList.Uids, Remembered);
        for (var scan = 1; ; scan++)
        {
            var before = Dates();
            ScanDirectory(newDirectory, inNew: true, found);
            ScanDirectory(curDirectory, inNew: false, found);
            scannedAt = Dates();
            if (scannedAt == before)
                break;
            scannedAt = null;
            if (scan == MaxScans)
                break;
            if (scan < MaxScans - 1)
            {
                found = new MaildirMessages(uidList.Uids, Remembered);
                unlisted.Clear();
                Files = 0;
            }
        }

        messages = WithoutDoubles(found);
        Unlisted = [.. unlisted.Order(StringComparer.Ordinal)];
    }

    private void ScanDirectory(string path, bool inNew, MaildirMessages found)
    {
        if (!Directory.Exists(path))
            return;
        var entries = Entries(path, withDirectories: true, (ref e) =>
        {
            if (e.IsDirectory)
            {
                noFiles.Add(e.FileName.ToString());
                return 0;
            }

            Files++;

            // .NET replaces octets that are not UTF-8 in a name, and can't open the file by the replaced name.
            if (e.FileName.Contains('\uFFFD') && !File.Exists(e.ToFullPath()))
            {
                unnameable.Add(e.FileName.ToString());
                return 0;
            }

            var infoStart = MaildirName.InfoStart(e.FileName);
            var unique = e.FileName[..infoStart];
            if (!found.TryAdd(unique, Info(e.FileName[infoStart..]), inNew))
                unlisted.Add(unique.ToString());
            return 0;
        });
        _ = entries.Count();
    }

    private static FileSystemEnumerable<T> Entries<T>(string path, bool withDirectories, FileSystemEnumerable<T>.FindTransform transform) =>
        new(path, transform, new EnumerationOptions { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false, ReturnSpecialDirectories = false })
        {
            ShouldIncludePredicate = (ref e) => e.FileName[0] != '.' && (withDirectories || !e.IsDirectory),
        };

    /// <summary>Decides for each unique name found twice: one file renamed during the scans, or two files.</summary>
    private MaildirMessages WithoutDoubles(MaildirMessages found)
    {
        // Sorted by UID, then in the order in which the files were found.
        var order = new ulong[found.Count];
        for (var i = 0; i < order.Length; i++)
            order[i] = ((ulong)found.UidAt(i) << 32) | (uint)i;
        Array.Sort(order);
        var single = new MaildirMessages(uidList.Uids, Remembered);
        var names = new SharedNames(directory, Remembered);
        var isInOrder = true;
        for (int i = 0, end; i < order.Length; i = end)
        {
            for (end = i + 1; end < order.Length && order[end] >> 32 == order[i] >> 32;)
                end++;
            if (end == i + 1 && (names.AreNone || !names.IsKnown(found[(int)(uint)order[i]].UniqueName)))
            {
                single.AddFrom(found, (int)(uint)order[i]);
                continue;
            }

            foreach (var message in names.TellApart([.. order[i..end].Select(n => found[(int)(uint)n])]))
                single.Add(message);
            isInOrder = false;
        }

        if (!isInOrder)
            single.SortByUid();
        Sharing = names.WithoutUid;
        unlisted.UnionWith(names.WithoutUid.Select(n => n.Key));
        if (names.WithoutUid.Count > 0)
            unlisted.UnionWith(names.Marks);
        return single;
    }

    private (DateTime New, DateTime Cur) Dates() => (Directory.GetLastWriteTimeUtc(newDirectory), Directory.GetLastWriteTimeUtc(curDirectory));
}
