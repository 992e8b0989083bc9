using System.Text;

namespace Imapsync.Tests.Support;

/// <summary>
/// Writes a Maildir++ tree in Dovecot's format, as a test's source mailbox. Folder names are decoded, with levels joined by <c>/</c>.
/// Octets have LF line ends.
/// </summary>
public sealed class MaildirWriter(string directory)
{
    /// <summary>The keywords of every folder, as the slots a, b, c … in dovecot-keywords.</summary>
    public static readonly string[] Keywords = ["$Forwarded", "$Label1", "NonJunk", "$MDNSent", "todo", "Invoice-2025"];

    private readonly Dictionary<string, string> folders = new(StringComparer.Ordinal);
    private int number;

    public int Count => number;

    public string FolderDirectory(string folder) => folder == "INBOX"
        ? directory
        : Path.Combine(directory, "." + string.Join('.', folder.Split('/').Select(ModifiedUtf7.Encode)));

    public string AddFolder(string folder)
    {
        if (folders.TryGetValue(folder, out var path))
            return path;
        path = FolderDirectory(folder);
        foreach (var name in (string[])["cur", "new", "tmp"])
            Directory.CreateDirectory(Path.Combine(path, name));
        if (folder != "INBOX")
            File.WriteAllBytes(Path.Combine(path, "maildirfolder"), []);
        File.WriteAllLines(Path.Combine(path, "dovecot-keywords"), Keywords.Select((k, i) => $"{i} {k}"));
        folders.Add(folder, path);
        return path;
    }

    /// <param name="flags">The flags in the file name, in ASCII order: capitals for system flags, a–z for <see cref="Keywords"/>.</param>
    /// <returns>The path of the message's file.</returns>
    public string Add(string folder, ReadOnlySpan<byte> octets, DateTimeOffset internalDate, string flags = "")
    {
        var name = $"{internalDate.ToUnixTimeSeconds()}.M{number++}P1.lab,S={octets.Length}:2,{flags}";
        var place = AddFolder(folder);
        // The file is written in "tmp" and then moved, as in a delivery, so a reader of "cur" sees a whole message or none.
        var begun = Path.Combine(place, "tmp", name);
        using (var file = File.OpenHandle(begun, FileMode.CreateNew, FileAccess.Write))
        {
            RandomAccess.Write(file, octets, 0);
            File.SetLastWriteTimeUtc(file, internalDate.UtcDateTime);
        }

        var path = Path.Combine(place, "cur", name);
        File.Move(begun, path);
        return path;
    }

    public void Subscribe(IEnumerable<string> names)
    {
        var lines = names.Select(n => string.Join('\t', n.Split('/').Select(ModifiedUtf7.Encode)) + "\n");
        File.WriteAllText(Path.Combine(directory, "subscriptions"), "V\t2\n\n" + string.Concat(lines), new UTF8Encoding(false));
    }
}
