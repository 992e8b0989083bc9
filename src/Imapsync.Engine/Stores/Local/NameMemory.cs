using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Local;

/// <summary>
/// The UIDs of messages in a folder that must not be written to and whose uidlist does not know them: their unique names never change,
/// so the job remembers them. Header <c>imapsync-names 1 V&lt;uidvalidity&gt; D&lt;the uidlist's uidvalidity, or 0&gt; :&lt;directory&gt;</c>,
/// then lines <c>uid :name</c> and <c>uid L&lt;look&gt; :=</c>. Beside a uidlist the UIDs are high ones, which its own never reach; a name keeps its UID whatever
/// the uidlist says of it later, as long as its file looks as before (<see cref="FileLook"/>): what was put in its place is another message
/// until it is seen to be the same.
/// </summary>
internal sealed class NameMemory
{
    private const uint FirstBesideList = 1u << 31;
    private const string Magic = "imapsync-names 1 ";
    private const int LinesTogether = 4096;

    /// <summary>So many files, every one of which has become another with the same length and time, are a tree that was copied.</summary>
    private const int WholeTree = 50;
    private readonly string? path;
    private readonly bool isReadOnly;
    private readonly string directory;
    private readonly UidValidity listed;
    private readonly TimeProvider time;
    private readonly List<uint> order = [];
    private readonly List<ulong> looks = [];
    private readonly Dictionary<Uid, Uid> predecessors = [];
    private long wholeLength;
    private uint replaced;

    private NameMemory(string? path, bool isReadOnly, string directory, UidCounters list, TimeProvider time)
    {
        (this.path, this.isReadOnly, this.directory, this.time) = (path, isReadOnly, directory, time);
        listed = list.Validity;
        Next = list.Next.Value;
    }

    /// <summary>By name as the index knows it.</summary>
    public NameTable Uids { get; private set; } = new();

    /// <summary>See <see cref="IMessageFolder.Predecessors"/>.</summary>
    public IReadOnlyDictionary<Uid, Uid> Predecessors => predecessors;

    /// <summary>What every message seen before keeps its UID under; none where nothing is remembered.</summary>
    public UidValidity Validity { get; private set; }

    /// <summary>Greater than any UID given, here or by the uidlist.</summary>
    public uint Next { get; private set; }

    /// <summary>Some UIDs hold for this session only.</summary>
    public bool IsProvisional { get; private set; }

    /// <param name="place">What the folder is, among all that the job may read: another place is met anew.</param>
    public static NameMemory Open(FolderPath folder, string place, StoreContext context) => Open(folder, place, new UidCounters(UidValidity.None, new Uid(1)), context);

    /// <param name="list">How far the folder's own list is, read; it has what a UID was given to by others.</param>
    public static NameMemory Open(FolderPath folder, string directory, UidCounters list, StoreContext context)
    {
        var file = context.MemoryDirectory is { } memory ? Path.Combine(memory, FileName(folder)) : null;
        var names = new NameMemory(file, context.MemoryIsReadOnly, directory, list, context.Time) { Validity = list.Validity };
        names.Load();
        return names;
    }

    /// <summary>
    /// Holds what lies there against how it looked when it got its UID: what differs gets a new one. Names that files shared are told apart by
    /// contents already.
    /// </summary>
    /// <param name="there">Names with the path of each one's file.</param>
    /// <returns>True where there was any.</returns>
    public bool RenewReplaced(IEnumerable<(string Name, string Path)> there)
    {
        var shared = Uids.WithSlash.Select(k => k[..k.IndexOf('/', StringComparison.Ordinal)]).ToHashSet();
        return Renew(there.Where(f => !shared.Contains(f.Name)).Select(f => (f.Name, new Func<ulong>(() => FileLook.Of(f.Path)))), FileLook.IsOtherFileAlike);
    }

    /// <summary>The same for messages that have a size alone to be held against. A size that is less than 0 is not known, and says nothing.</summary>
    public bool RenewResized(IEnumerable<(string Name, long Size)> there) =>
        Renew(there.Select(m => (m.Name, new Func<ulong>(() => m.Size < 0 ? 0 : (ulong)m.Size + 1))), (_, _) => false);

    /// <param name="there">Names, each with what tells how it looks now; 0 where nothing does.</param>
    /// <param name="areAlike">Two looks that differ as those of a file and its copy do.</param>
    private bool Renew(IEnumerable<(string Name, Func<ulong> Look)> there, Func<ulong, ulong, bool> areAlike)
    {
        var others = new List<string>();
        var alikeOnly = new List<(string Name, int At, ulong Look)>();
        var alike = 0;
        Write(New());
        if (alike > 0 || alikeOnly.Count < WholeTree)
            others.AddRange(alikeOnly.Select(o => o.Name));
        else
            Write(alikeOnly.Select(o => LookLine(o.At, o.Look)));
        Add(others);
        return others.Count > 0;

        IEnumerable<string> New()
        {
            foreach (var (name, lookOf) in there)
            {
                if (!Uids.TryGetUid(name, out var uid) || order.BinarySearch(uid) is not (>= 0 and var at) || lookOf() is not (> 0 and var look))
                    continue;
                if (looks[at] == 0)
                    yield return LookLine(at, look);
                else if (looks[at] == look)
                    alike++;
                else if (areAlike(looks[at], look))
                    alikeOnly.Add((name, at, look));
                else
                    others.Add(name);
            }
        }
    }

    /// <summary>
    /// True where a file looks exactly as one did that had another name: files were renamed, as by <c>folder -pack</c>, and names say nothing of
    /// what was copied. To be asked before anything is added.
    /// </summary>
    public bool AreRenamed(IEnumerable<(string Name, string Path)> there)
    {
        var known = looks.Where(l => l != 0).ToHashSet();
        return known.Count > 0 && there.Any(f => FileLook.Of(f.Path) is > 0 and var look && known.Contains(look)
            && !(Uids.TryGetUid(f.Name, out var uid) && order.BinarySearch(uid) is >= 0 and var at && looks[at] == look));
    }

    private string LookLine(int at, ulong look)
    {
        looks[at] = look;
        return string.Create(CultureInfo.InvariantCulture, $"{order[at]} L{look:x} :=\n");
    }

    /// <summary>Gives UIDs. They are on the disk before they are used, so that none is ever given twice.</summary>
    public void Add(IReadOnlyList<string> names)
    {
        if (names.Count == 0)
            return;
        IsProvisional |= path is null || isReadOnly || !HasRoom(names.Count);
        var start = Next;
        if (!IsProvisional && wholeLength == 0)
        {
            Validity = listed.IsNone ? NewValidity() : listed;
            start = listed.IsNone ? 1 : FirstBesideList + (uint)RandomNumberGenerator.GetInt32(1 << 30);
        }

        Next = start + (uint)names.Count;
        Write(names.Select((name, at) =>
        {
            var uid = start + (uint)at;
            Give(name, uid, look: 0);
            return string.Create(CultureInfo.InvariantCulture, $"{uid} :{Escape(name)}\n");
        }));
    }

    private void Give(string name, uint uid, ulong look)
    {
        if (Uids.TryGetUid(name, out var before))
            predecessors[new Uid(uid)] = new Uid(before);
        Uids.Set(name, uid);
        order.Add(uid);
        looks.Add(look);
    }

    /// <summary>In the upper half, where no uidlist that is made in the same second (by a restore into the folder) has its own.</summary>
    private UidValidity NewValidity() =>
        new((uint)Math.Clamp(Math.Max(time.GetUtcNow().ToUnixTimeSeconds() | FirstBesideList, replaced + 1L), 1, uint.MaxValue));

    private static string FileName(FolderPath folder) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.Unicode.GetBytes(folder.ToString())))[..32] + ".names";

    private string Header() => $"{Magic}V{Validity} D{(listed.IsNone ? "0" : listed.ToString())} :{Escape(directory)}";

    /// <summary>Beside a uidlist only in the upper half of all UIDs, as long as the list is in the lower one.</summary>
    private bool HasRoom(int count) =>
        uint.MaxValue - count > Next && (listed.IsNone || wholeLength > 0 || Next < FirstBesideList);

    private static string Escape(string name) => name.Replace("\n", "\0n", StringComparison.Ordinal);

    private void Load()
    {
        if (path is null || !File.Exists(path))
            return;
        DurableFiles.RequireNoLink(path);
        using var file = OrdinaryFile.OpenRead(path);
        var isOurs = false;
        var isFirst = true;
        var listNext = Next;
        var last = 0u;
        var whole = NameLines.Read(file, line =>
        {
            if (isFirst)
            {
                isFirst = false;
                isOurs = TryReadHeader(Encoding.UTF8.GetString(line));
            }
            else if (isOurs && NameLines.TryParse(line, out var uid, out var escaped))
            {
                var look = ReadLook(line);
                if (uid > last)
                {
                    isOurs = listed.IsNone || uid >= listNext;
                    last = uid;
                    Give(Encoding.UTF8.GetString(escaped).Replace("\0n", "\n", StringComparison.Ordinal), uid, look);
                }
                else if (look != 0 && order.BinarySearch(uid) is >= 0 and var at)
                {
                    looks[at] = look;
                }
            }
        });
        if (isOurs)
        {
            (wholeLength, Next) = (whole, Math.Max(Next, last + 1));
            return;
        }

        // Of another place or another generation of its uidlist: what it says is void, and a new one begins.
        replaced = Validity.Value;
        Uids = new NameTable();
        order.Clear();
        looks.Clear();
        predecessors.Clear();
        Validity = listed;
    }

    private static ulong ReadLook(ReadOnlySpan<byte> line)
    {
        var start = line.IndexOf((byte)' ') + 1;
        return start > 0 && start < line.Length && line[start] == 'L' && Utf8Parser.TryParse(line[(start + 1)..], out ulong look, out _, 'x') ? look : 0;
    }

    private bool TryReadHeader(string line)
    {
        var fields = line.Split(' ', 5);
        if (fields.Length < 5 || !line.StartsWith(Magic, StringComparison.Ordinal) || fields[2].Length < 2
            || !uint.TryParse(fields[2].AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var validity) || validity == 0)
            return false;
        Validity = new UidValidity(validity);
        return Header() == line;
    }

    /// <summary>Some lines at a time: a folder may have a million.</summary>
    private void Write(IEnumerable<string> lines)
    {
        var isKept = path is not null && !isReadOnly && !IsProvisional;
        var file = (FileStream?)null;
        foreach (var chunk in lines.Chunk(LinesTogether))
        {
            if (!isKept)
                continue;
            var octets = Encoding.UTF8.GetBytes(string.Concat(chunk));
            if (wholeLength == 0)
            {
                // With the first of them, so that what is there by itself never lacks the UID that it begins with.
                LocalFiles.CreateDirectory(Path.GetDirectoryName(path)!);
                octets = [.. Encoding.UTF8.GetBytes(Header() + "\n"), .. octets];
                LocalFiles.Replace(path!, octets);
                wholeLength = octets.Length;
                continue;
            }

            if (file is null)
            {
                file = new FileStream(path!, LocalFiles.OpenExisting);
                file.SetLength(wholeLength);
                file.Position = wholeLength;
            }

            file.Write(octets);
            wholeLength += octets.Length;
        }

        file?.Flush(flushToDisk: true);
        file?.Dispose();
    }
}
