using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Durability;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>
/// The UIDs of messages in a folder that must not be written to and whose uidlist does not know them: their unique names never change,
/// so the job remembers them. Header <c>imapsync-names 1 V&lt;uidvalidity&gt; D&lt;the uidlist's uidvalidity, or 0&gt; :&lt;directory&gt;</c>,
/// then lines <c>uid :name</c>. Beside a uidlist the UIDs are high ones, which its own never reach; a name keeps its UID whatever
/// the uidlist says of it later.
/// </summary>
internal sealed class NameMemory
{
    private const uint FirstBesideList = 1u << 31;
    private const string Magic = "imapsync-names 1 ";
    private readonly string? path;
    private readonly bool isReadOnly;
    private readonly string directory;
    private readonly UidValidity listed;
    private readonly TimeProvider time;
    private long wholeLength;
    private uint replaced;

    private NameMemory(string? path, bool isReadOnly, string directory, UidList list, TimeProvider time)
    {
        (this.path, this.isReadOnly, this.directory, this.time) = (path, isReadOnly, directory, time);
        listed = list.Validity;
        Next = list.Next.Value;
    }

    /// <summary>By name as the index knows it.</summary>
    public Dictionary<string, uint> Uids { get; } = [];

    /// <summary>What every message seen before keeps its UID under; none where nothing is remembered.</summary>
    public UidValidity Validity { get; private set; }

    /// <summary>Greater than any UID given, here or by the uidlist.</summary>
    public uint Next { get; private set; }

    /// <summary>Some UIDs hold for this session only.</summary>
    public bool IsProvisional { get; private set; }

    /// <param name="list">The folder's own list, read.</param>
    public static NameMemory Open(FolderPath folder, string directory, UidList list, StoreContext context)
    {
        var file = context.MemoryDirectory is { } memory ? Path.Combine(memory, FileName(folder)) : null;
        var names = new NameMemory(file, context.MemoryIsReadOnly, directory, list, context.Time) { Validity = list.Validity };
        names.Load();
        return names;
    }

    /// <summary>Gives UIDs. They are on the disk before they are used, so that none is ever given twice.</summary>
    public void Add(IEnumerable<string> names)
    {
        var added = names.ToList();
        if (added.Count == 0)
            return;
        IsProvisional |= path is null || isReadOnly || !HasRoom(added.Count);
        var start = Next;
        var text = new StringBuilder();
        if (!IsProvisional && wholeLength == 0)
        {
            Validity = listed.IsNone ? NewValidity() : listed;
            start = listed.IsNone ? 1 : FirstBesideList + (uint)RandomNumberGenerator.GetInt32(1 << 30);
            text.Append(Header()).Append('\n');
        }

        foreach (var name in added)
        {
            Uids[name] = start;
            text.Append(CultureInfo.InvariantCulture, $"{start++} :{Escape(name)}\n");
        }

        Next = start;
        if (!IsProvisional)
            Write(text.ToString());
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
        DurableFiles.DemandNoLink(path);
        using var file = OrdinaryFile.OpenRead(path);
        var isOurs = false;
        var isFirst = true;
        var listNext = Next;
        var last = 0u;
        var whole = UidListLines.Read(file, line =>
        {
            if (isFirst)
            {
                isFirst = false;
                isOurs = TryReadHeader(Encoding.UTF8.GetString(line));
            }
            else if (isOurs && UidListLines.TryParse(line, out var uid, out var name) && uid > last)
            {
                isOurs = listed.IsNone || uid >= listNext;
                last = uid;
                Uids[Encoding.UTF8.GetString(name).Replace("\0n", "\n", StringComparison.Ordinal)] = uid;
            }
        });
        if (isOurs)
        {
            (wholeLength, Next) = (whole, Math.Max(Next, last + 1));
            return;
        }

        // Of another place or another generation of its uidlist: what it says is void, and a new one begins.
        replaced = Validity.Value;
        Uids.Clear();
        Validity = listed;
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

    private void Write(string text)
    {
        if (wholeLength == 0)
        {
            LocalFiles.CreateDirectory(Path.GetDirectoryName(path)!);
            var octets = Encoding.UTF8.GetBytes(text);
            LocalFiles.Replace(path!, octets);
            wholeLength = octets.Length;
            return;
        }

        using var file = new FileStream(path!, LocalFiles.OpenExisting);
        file.SetLength(wholeLength);
        file.Position = wholeLength;
        file.Write(Encoding.UTF8.GetBytes(text));
        file.Flush(flushToDisk: true);
        wholeLength = file.Position;
    }
}
