using Imapsync.Engine.Stores.Maildir;

namespace Imapsync.Engine.Snapshots;

/// <summary>The messages in a snapshot, identified by their file names.</summary>
public sealed class SnapshotContents
{
    private static readonly string[] Places = ["new", "cur"];
    private readonly Dictionary<(string Folder, string Unique), string> messages = [];

    private SnapshotContents()
    {
    }

    public int Messages => messages.Count;

    public int Folders { get; private set; }

    /// <exception cref="IOException"/>
    public static SnapshotContents Read(Snapshot snapshot)
    {
        var contents = new SnapshotContents();
        foreach (var cur in Directory.EnumerateDirectories(snapshot.Mail, "cur", SearchOption.AllDirectories))
        {
            var folder = Path.GetDirectoryName(cur)!;
            var name = Path.GetRelativePath(snapshot.Mail, folder);
            contents.Folders++;
            foreach (var file in Places.Select(d => Path.Combine(folder, d)).Where(Directory.Exists).SelectMany(Directory.EnumerateFiles).Select(f => Path.GetFileName(f)!))
            {
                var info = MaildirName.InfoStart(file);
                contents.messages[(name, file[..info])] = file[info..];
            }
        }

        return contents;
    }

    /// <summary>Counts the differences from an earlier snapshot: messages that were added, removed, or have different flags.</summary>
    public (int Came, int Went, int Flags) Since(SnapshotContents? earlier)
    {
        if (earlier is null)
            return (Messages, 0, 0);
        var (came, flags) = (0, 0);
        foreach (var (key, info) in messages)
        {
            if (!earlier.messages.TryGetValue(key, out var before))
                came++;
            else if (before != info)
                flags++;
        }

        return (came, earlier.Messages - (Messages - came), flags);
    }
}
