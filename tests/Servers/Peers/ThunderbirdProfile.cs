using System.Text;

namespace Imapsync.Servers.Tests.Peers;

/// <summary>
/// Local folders as Thunderbird stores them: an mbox beside its index, subfolders in <c>.sbd</c>, flags in a header field.
/// </summary>
public sealed class ThunderbirdProfile(string directory)
{
    public const int Read = 0x0001;
    public const int Replied = 0x0002;
    public const int Marked = 0x0004;
    public const int Expunged = 0x0008;

    public string Directory => directory;

    /// <summary>Writes an account's mail as a Thunderbird profile, with the other files that a profile contains.</summary>
    /// <param name="files">Each folder's file below the profile.</param>
    public void Make(IReadOnlyDictionary<string, string> files, Func<string, IEnumerable<(byte[] Octets, int Status)>> mailOf)
    {
        foreach (var (folder, file) in files)
        {
            var path = Path.Combine(directory, file);
            System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, []);
            File.WriteAllText(path + ".msf", "// <!-- <mdb:mork:z v=\"1.4\"/> -->\n");
            foreach (var (octets, status) in mailOf(folder))
                Add(file, octets, status);
        }

        // In Thunderbird a folder that contains only folders has an empty file, and some files are not folders.
        File.WriteAllBytes(Path.Combine(directory, "Archives"), []);
        File.WriteAllBytes(Path.Combine(directory, "Drafts.msf"), []);
        File.WriteAllBytes(Path.Combine(directory, "popstate.dat"), []);
        File.WriteAllText(Path.Combine(directory, "msgFilterRules.dat"), "version=\"9\"\nlogging=\"no\"\n");
    }

    public void Add(string file, byte[] octets, int status)
    {
        using var mbox = new FileStream(Path.Combine(directory, file), FileMode.Append, FileAccess.Write);
        mbox.Write(Encoding.ASCII.GetBytes($"From - Thu Jan  2 03:04:05 2020\nX-Mozilla-Status: {status:x4}\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: {new string(' ', 80)}\n"));
        mbox.Write(octets);
        mbox.Write("\n"u8);
    }

    /// <summary>Overwrites the first matching status in a file, as Thunderbird does when flags change.</summary>
    public void ChangeFirst(string file, int from, int to)
    {
        var path = Path.Combine(directory, file);
        var text = File.ReadAllText(path, Encoding.Latin1);
        var at = text.IndexOf($"X-Mozilla-Status: {from:x4}", StringComparison.Ordinal);
        Assert.True(at >= 0, $"no message of status {from:x4} in {file}");
        using var mbox = new FileStream(path, FileMode.Open, FileAccess.Write);
        mbox.Position = at + "X-Mozilla-Status: ".Length;
        mbox.Write(Encoding.ASCII.GetBytes($"{to:x4}"));
    }

    /// <summary>The number of messages in a file, expunged ones included.</summary>
    public int Count(string file) =>
        File.ReadAllLines(Path.Combine(directory, file), Encoding.Latin1).Count(l => l.StartsWith("From ", StringComparison.Ordinal));

    /// <summary>The profile's files, without the indexes that imapsync keeps beside an mbox.</summary>
    public IReadOnlyList<string> Names() =>
    [
        .. System.IO.Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(directory, f))
            .Where(f => !f.EndsWith(".imapsync-index", StringComparison.Ordinal) && !f.Split('/').Any(l => l.StartsWith('.'))).Order(StringComparer.Ordinal),
    ];
}
