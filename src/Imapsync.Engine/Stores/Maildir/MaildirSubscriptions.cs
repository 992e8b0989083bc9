using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>
/// Dovecot's file <c>subscriptions</c>. Version 2 has the header <c>V TAB 2</c>, an empty line, then one line for each folder, with its
/// levels in modified UTF-7 separated by TAB. Version 1 has no header and uses the layout's separator.
/// </summary>
internal sealed class MaildirSubscriptions(MaildirTree tree, TimeProvider time)
{
    private const long MaxFileBytes = 64 << 20;
    private readonly string path = Path.Combine(tree.Root, "subscriptions");

    public HashSet<FolderPath> Read() => [.. ReadLines().Select(ToPath).OfType<FolderPath>()];

    /// <summary>Sets several subscriptions at once, since each writing of the file costs a lock and two syncs.</summary>
    /// <param name="wanted">Whether each folder is to be subscribed.</param>
    public async Task SetAsync(IReadOnlyDictionary<FolderPath, bool> wanted, CancellationToken cancellationToken)
    {
        var now = Read();
        if (wanted.All(w => now.Contains(w.Key) == w.Value))
            return;
        await using var held = await DotLock.AcquireAsync(path, time, cancellationToken);
        var lines = ReadLines().Where(l => ToPath(l) is { } other && !wanted.ContainsKey(other)).ToList();
        lines.AddRange(wanted.Where(w => w.Value).Select(w => w.Key.Levels.Select(tree.EncodeLevel).ToArray()));
        var text = new StringBuilder("V\t2\n\n");
        foreach (var line in lines)
            text.AppendJoin('\t', line).Append('\n');
        LocalFiles.Replace(path, Encoding.UTF8.GetBytes(text.ToString()));
    }

    private static FolderPath? ToPath(string[] line) =>
        Array.TrueForAll(line, l => l.Length > 0) ? new FolderPath(line.Select(FolderNaming.Decode)) : null;

    private List<string[]> ReadLines()
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.Length > MaxFileBytes)
            return [];
        var lines = OrdinaryFile.ReadText(path).Split('\n').Select(l => l.TrimEnd('\r')).ToArray();
        var isSecond = lines.Length > 0 && lines[0] == "V\t2";
        return [.. lines.Skip(isSecond ? 1 : 0).Where(l => l.Length > 0).Select(l => l.Split(isSecond ? '\t' : tree.Separator))];
    }
}
