using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.State;

/// <summary>
/// The names in a job's state directory. Folder names come from servers, so file names are built so that none can point outside the directory.
/// </summary>
internal sealed class StateDirectory(string root)
{
    /// <summary>The prefix of the files of a stored sign-in, which are in the state directory beside the checkpoints.</summary>
    public const string SignInPrefix = "signin-";

    /// <summary>How many damaged journals of a folder pair are kept for inspection.</summary>
    private const int DamagedKept = 3;

    private const int ReadableLength = 60;
    private const int DigestLength = 32;
    private const string JournalSuffix = ".journal";

    /// <summary>Names that file systems or people put into an otherwise empty directory.</summary>
    private static readonly string[] Housekeeping = ["lost+found", ".gitkeep", ".gitignore", ".keep", ".DS_Store"];

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private readonly string pairs = Path.Combine(root, "pairs");

    public string Root => root;

    public string LockFile => Path.Combine(root, "lock");

    /// <summary>Returns the path of a piece of state.</summary>
    public string FileOf(StateName name) => name.Pair is { } pair ? JournalFile(pair) : Path.Combine(root, name.Word);

    /// <summary>
    /// Throws if the directory contains foreign files, so that nothing is lost if a user names another directory by mistake. A state
    /// directory is recognised by its <c>pairs</c> directory and its lock, or else by containing only files of this program.
    /// </summary>
    /// <exception cref="IOException">The directory is not a state directory.</exception>
    public void RequireOurs()
    {
        if (Nodes.KindOf(root) is NodeKind.OrdinaryFile or NodeKind.Other)
            throw new IOException($"{root} is no directory");
        if (!Directory.Exists(root))
            return;
        DurableFiles.RequireNoLink(LockFile);
        if (File.Exists(LockFile) && !IsLock(LockFile))
            throw NotOurs("lock");
        if (File.Exists(LockFile) && Directory.Exists(pairs))
            return;
        foreach (var entry in Directory.EnumerateFileSystemEntries(root))
        {
            DurableFiles.RequireNoLink(entry);
            if (!IsOurs(entry))
                throw NotOurs(Path.GetFileName(entry));
        }
    }

    public async Task CreateAsync(CancellationToken cancellationToken)
    {
        await DurableFiles.CreateDirectoryAsync(pairs, cancellationToken);
        DurableFiles.RequireNoLink(pairs);
    }

    /// <summary>
    /// Removes temporary files left by a crash; their names are ones that only this program uses. Call this only while holding the job's
    /// lock.
    /// </summary>
    public void RemoveLeftovers()
    {
        File.Delete(FileOf(StateName.Summary) + DurableFiles.TemporarySuffix);
        foreach (var leftover in Directory.EnumerateFiles(pairs, "*" + JournalSuffix + DurableFiles.TemporarySuffix))
        {
            if (IsJournalName(Path.GetFileName(leftover.AsSpan(0, leftover.Length - DurableFiles.TemporarySuffix.Length))))
                File.Delete(leftover);
        }
    }

    /// <summary>
    /// Returns the path of a folder pair's journal. The file name begins with a readable text for people; a digest makes it unique for the
    /// pair.
    /// </summary>
    public string JournalFile(PairKey pair)
    {
        var readable = new StringBuilder(ReadableLength);
        foreach (var c in pair.Source.ToString().AsSpan())
        {
            if (readable.Length == ReadableLength)
                break;
            readable.Append(char.IsAsciiLetterOrDigit(c) || c == '-' || (c == '.' && readable.Length > 0) ? c : '_');
        }

        // The digest covers UTF-16 code units, so that even names that are not valid Unicode get distinct digests.
        var both = $"{pair.Source}\0{pair.Target}";
        var digest = SHA256.HashData(MemoryMarshal.AsBytes(both.AsSpan()));
        return Path.Combine(pairs, $"{readable}-{Convert.ToHexStringLower(digest.AsSpan(0, 16))}{JournalSuffix}");
    }

    public IEnumerable<string> FindJournals() =>
        Directory.Exists(pairs) ? Directory.EnumerateFiles(pairs, "*.journal").Where(f => f.EndsWith(".journal", StringComparison.Ordinal)) : [];

    /// <summary>Renames a damaged journal so that a new one can begin. Returns the new path.</summary>
    public async Task<string> SetAsideAsync(string journal, CancellationToken cancellationToken)
    {
        var prefix = journal + ".damaged-";
        var kept = Directory.EnumerateFiles(pairs, Path.GetFileName(prefix) + "*")
            .Select(f => uint.TryParse(f.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0)
            .Where(n => n is > 0 and < uint.MaxValue)
            .Order()
            .ToList();
        foreach (var old in kept.SkipLast(DamagedKept - 1))
            File.Delete($"{prefix}{old}");
        var aside = $"{prefix}{(kept.Count == 0 ? 1 : kept[^1] + 1)}";
        File.Move(journal, aside, overwrite: true);
        await DurableFiles.SyncDirectoryAsync(pairs, cancellationToken);
        return aside;
    }

    public async Task RemoveAsync(string journal, CancellationToken cancellationToken)
    {
        File.Delete(journal);
        await DurableFiles.SyncDirectoryAsync(pairs, cancellationToken);
    }

    private IOException NotOurs(string found) => new(
        $"it holds '{found}', which this program did not put there, so it is no state directory; name an empty or a new directory as 'state', and nothing in this one is touched");

    private static bool IsJournalName(ReadOnlySpan<char> name) =>
        name.EndsWith(JournalSuffix, StringComparison.Ordinal)
        && name[..^JournalSuffix.Length] is { Length: > DigestLength } stem
        && stem[^(DigestLength + 1)] == '-'
        && !stem[^DigestLength..].ContainsAnyExcept(HexDigits);

    /// <summary>Returns true for a journal, including one that is being written or was set aside.</summary>
    private static bool IsJournal(string path)
    {
        DurableFiles.RequireNoLink(path);
        return Path.GetFileName(path).Contains(JournalSuffix, StringComparison.Ordinal);
    }

    private bool IsOurs(string entry)
    {
        var name = Path.GetFileName(entry);
        if (Housekeeping.Contains(name))
            return true;
        if (Directory.Exists(entry))
        {
            // The directories "names" and "served" may be here without the state's lock file: "names" after a power cut, "served" when a
            // backup was read whose job has no state. Both contain only assignments of UIDs.
            if (name is "names" or "served")
                return Directory.EnumerateFileSystemEntries(entry).All(IsNumbers);

            if (name == "index")
                return Directory.EnumerateFileSystemEntries(entry).All(f => Path.GetFileName(f) is "lock" || Path.GetExtension(f) == ".words");

            // A subdirectory may be the state of another job or of a restore.
            return entry == pairs ? Directory.EnumerateFileSystemEntries(pairs).All(IsJournal) : Directory.Exists(Path.Combine(entry, "pairs"));
        }

        // A power cut may leave only a part of some files: the append mark is not written atomically, and the history is appended in place.
        // The lock file of a sign-in is always empty.
        return name == "lock" || IsRecord(entry, mayBeTorn: name == StateName.Appending.Word || name == StateName.History.Word || name.StartsWith(SignInPrefix, StringComparison.Ordinal) || name.EndsWith(DurableFiles.TemporarySuffix, StringComparison.Ordinal));
    }

    /// <summary>Returns true for files of UID assignments for a Maildir or an mbox, including temporary ones.</summary>
    private static bool IsNumbers(string path) => Directory.Exists(path)
        ? Directory.EnumerateFileSystemEntries(path).All(IsNumbers)
        : Path.GetFileName(path) is var name && (name.Contains(".names", StringComparison.Ordinal) || name.Contains(".index", StringComparison.Ordinal));

    /// <summary>Returns true for a lock file as a run writes it or as a power cut left it: truncated, or filled with zeros.</summary>
    private static bool IsLock(string path)
    {
        if (Nodes.KindOf(path) is not NodeKind.OrdinaryFile)
            return true;
        // The file may be locked by another process, so it is opened without taking a lock.
        using var file = Posix.OpenRead(path);
        Span<byte> buffer = stackalloc byte[JobLock.OwnerBytes + 1];
        var text = buffer[..RandomAccess.Read(file, buffer, 0)];
        var begin = text[..Math.Min(text.Length, 4)];
        return "pid "u8.StartsWith(begin) || (text.Length <= JobLock.OwnerBytes && !text.ContainsAnyExcept((byte)0));
    }

    /// <summary>
    /// Returns true for a file that begins as files of this program do, and for one that is gone: another process of this job may have renamed
    /// or removed its temporary file since the directory was listed.
    /// </summary>
    /// <param name="mayBeTorn">True if a power cut may have left only a part of the file, or zeros in place of its text.</param>
    private static bool IsRecord(string path, bool mayBeTorn)
    {
        if (Nodes.KindOf(path) is var kind and not NodeKind.OrdinaryFile)
            return kind == NodeKind.Nothing;
        var magic = "imapsync-"u8;
        try
        {
            // The file may be locked by another process, so it is opened without taking a lock.
            using var file = Posix.OpenRead(path);
            Span<byte> buffer = stackalloc byte[magic.Length];
            ReadOnlySpan<byte> text = buffer[..RandomAccess.Read(file, buffer, 0)];
            return text.SequenceEqual(magic) || (mayBeTorn && (magic.StartsWith(text) || !text.ContainsAnyExcept((byte)0)));
        }
        catch (FileNotFoundException)
        {
            return true;
        }
    }
}
