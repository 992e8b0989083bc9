using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Local;

/// <summary>
/// The file <c>.subscriptions</c> in the root, with one line for each folder: its levels, escaped like file names and joined by <c>/</c>.
/// Dovecot uses the same file for mbox folders.
/// </summary>
internal sealed class SubscriptionFile(string root) : IDisposable
{
    private readonly string file = Path.Combine(root, ".subscriptions");
    private readonly SemaphoreSlim changing = new(1);

    public bool IsThere => File.Exists(file);

    public async Task<HashSet<FolderPath>> ReadAsync(CancellationToken cancellationToken)
    {
        var folders = new HashSet<FolderPath>();
        if (!IsThere)
            return folders;
        foreach (var line in await File.ReadAllLinesAsync(file, cancellationToken))
        {
            var levels = line.Split('/');
            if (levels.All(l => l.Length > 0))
                folders.Add(new FolderPath(levels.Select(FileNames.Unescape)));
        }

        return folders;
    }

    public async Task SetAsync(FolderPath path, bool subscribed, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            var folders = await ReadAsync(cancellationToken);
            if (subscribed ? !folders.Add(path) : !folders.Remove(path))
                return;
            var temporary = file + FileNames.NewSuffix;
            await LocalFiles.WriteBesideAsync(temporary, async target =>
            {
                var lines = folders.Order().Select(f => string.Join('/', f.Levels.Select(FileNames.Escape)) + "\n");
                await RandomAccess.WriteAsync(target, System.Text.Encoding.UTF8.GetBytes(string.Concat(lines)), 0, cancellationToken);
                RandomAccess.FlushToDisk(target);
                return true;
            });
            File.Move(temporary, file, overwrite: true);
            Posix.SyncDirectory(root);
        }
        finally
        {
            changing.Release();
        }
    }

    public void Dispose() => changing.Dispose();
}
