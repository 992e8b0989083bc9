using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Local;

/// <summary>
/// Remembers UIDs in the job's state, for messages that a read-only folder's own uidlist lacks. A message is identified by its file's
/// unique name. A message gets a new UID if its file's look (<see cref="FileLook"/>: a fingerprint of length, time and identity) has
/// changed. If there is a uidlist, the UIDs here are high ones, which the uidlist never reaches.
/// Header <c>imapsync-names 1 V&lt;uidvalidity&gt; D&lt;the uidlist's uidvalidity, or 0&gt; :&lt;directory&gt;</c>, then lines
/// <c>uid :name</c> and <c>uid L&lt;look&gt; :=</c>.
/// </summary>
internal sealed class NameMemory
{
    private const uint FirstBesideList = 1u << 31;
    private const string Magic = "imapsync-names 1 ";
    private const int LinesTogether = 4096;

    /// <summary>
    /// The whole tree was copied if at least this many files have the recorded length and time but another identity, and no file is
    /// unchanged. Then the messages keep their UIDs.
    /// </summary>
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

    /// <summary>The remembered UIDs by unique name.</summary>
    public NameTable Uids { get; private set; } = new();

    /// <summary>
    /// For each UID that replaced an earlier UID of the same name: the earlier UID. See <see cref="IMessageFolder.Predecessors"/>.
    /// </summary>
    public IReadOnlyDictionary<Uid, Uid> Predecessors => predecessors;

    /// <summary>The UIDVALIDITY of the remembered UIDs. If none are remembered, the UIDVALIDITY of the folder's uidlist, or none.</summary>
    public UidValidity Validity { get; private set; }

    /// <summary>A UID greater than any assigned, here or by the uidlist.</summary>
    public uint Next { get; private set; }

    /// <summary>Whether added UIDs are stored.</summary>
    public bool IsKept => path is not null && !isReadOnly;

    /// <summary>Whether some UIDs are valid for this session only.</summary>
    public bool IsProvisional { get; private set; }

    /// <param name="place">A text for the folder's location. UIDs that were remembered for another location are dropped.</param>
    public static NameMemory Open(FolderPath folder, string place, StoreContext context) => Open(folder, place, new UidCounters(UidValidity.None, new Uid(1)), context);

    /// <param name="list">The UIDVALIDITY and UIDNEXT of the folder's own uidlist, in which other programs have assigned UIDs.</param>
    public static NameMemory Open(FolderPath folder, string directory, UidCounters list, StoreContext context)
    {
        var file = context.MemoryDirectory is { } memory ? Path.Combine(memory, FileName(folder)) : null;
        var names = new NameMemory(file, context.MemoryIsReadOnly, directory, list, context.Time) { Validity = list.Validity };
        names.Load();
        return names;
    }

    /// <summary>
    /// Gives a new UID to each file whose look (a fingerprint of length, time and identity) differs from the recorded one. Files that share
    /// a name are skipped, because their contents have already been compared.
    /// </summary>
    /// <param name="there">The names, with the path of each one's file.</param>
    /// <returns>Whether any file differed.</returns>
    public bool RenewReplaced(IEnumerable<(string Name, string Path)> there)
    {
        var shared = Uids.WithSlash.Select(k => k[..k.IndexOf('/', StringComparison.Ordinal)]).ToHashSet();
        return Renew(there.Where(f => !shared.Contains(f.Name)).Select(f => (f.Name, new Func<ulong>(() => FileLook.Of(f.Path)))), FileLook.IsOtherFileAlike);
    }

    /// <summary>
    /// Gives a new UID to each message whose size differs from the recorded one. A size below 0 is unknown and counts as unchanged.
    /// </summary>
    public bool RenewResized(IEnumerable<(string Name, long Size)> there) =>
        Renew(there.Select(m => (m.Name, new Func<ulong>(() => m.Size < 0 ? 0 : (ulong)m.Size + 1))), (_, _) => false);

    /// <param name="there">
    /// The names, each with a function that returns the file's present look (fingerprint); 0 where the look is unknown.
    /// </param>
    /// <param name="areAlike">Whether two different looks may be those of a file and of its copy.</param>
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
    /// Returns whether a file has the look (fingerprint of length, time and identity) recorded for another name. Then files were renamed,
    /// as by MH's <c>folder -pack</c>, and names no longer identify messages. Call this before <see cref="Add"/>.
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

    /// <summary>Assigns UIDs and stores them durably before they are used, so that no UID is ever assigned twice.</summary>
    public void Add(IReadOnlyList<string> names)
    {
        if (names.Count == 0)
            return;
        IsProvisional |= !IsKept || !HasRoom(names.Count);
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

    /// <summary>
    /// Returns a UIDVALIDITY in the upper half of the range. It differs from that of a uidlist created in the same second, which is in the
    /// lower half.
    /// </summary>
    private UidValidity NewValidity() =>
        new((uint)Math.Clamp(Math.Max(time.GetUtcNow().ToUnixTimeSeconds() | FirstBesideList, replaced + 1L), 1, uint.MaxValue));

    private static string FileName(FolderPath folder) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.Unicode.GetBytes(folder.ToString())))[..32] + ".names";

    private string Header() => $"{Magic}V{Validity} D{(listed.IsNone ? "0" : listed.ToString())} :{Escape(directory)}";

    /// <summary>
    /// Returns whether <paramref name="count"/> UIDs are left. Beside a uidlist, the UIDs here take the upper half of the range, so the
    /// list's UIDs must be in the lower half.
    /// </summary>
    public bool HasRoom(int count) =>
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

        // The file was written for another location or another UIDVALIDITY of the uidlist, so its contents are dropped.
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

    /// <summary>Writes the lines in groups, since a folder may have a million messages.</summary>
    private void Write(IEnumerable<string> lines)
    {
        var isKept = IsKept && !IsProvisional;
        var file = (FileStream?)null;
        foreach (var chunk in lines.Chunk(LinesTogether))
        {
            if (!isKept)
                continue;
            var octets = Encoding.UTF8.GetBytes(string.Concat(chunk));
            if (wholeLength == 0)
            {
                // The header is written together with the first lines, because a header alone would not show where the UIDs begin.
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
