using Imapsync.Engine.Mail;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.World;

/// <summary>
/// The source or the target of a test round, with all that people, programs and disks do to it. Uses no code of the product.
/// </summary>
internal abstract class WorldPlace(string directory)
{
    private int copies;

    public string Directory => directory;

    public abstract Endpoint Endpoint { get; }

    /// <summary>The proxy in front of the store's server; null if the store consists of plain files.</summary>
    public virtual LyingLine? Line => null;

    public virtual DovecotServer? Server => null;

    public abstract MailCounts Read();

    public abstract void Deliver(string folder, WorldMail mail, Random random);

    /// <summary>Removes one copy of a message.</summary>
    public abstract void Remove(string folder, int number);

    public abstract void Move(string folder, int number, string to);

    public abstract void Flag(string folder, int number, Random random);

    public abstract Task CreateFolderAsync(string folder);

    public abstract Task DeleteFolderAsync(string folder);

    public abstract Task RenameFolderAsync(string from, string to);

    /// <summary>Rewrites a folder as another mail program does when it opens and saves the folder.</summary>
    public virtual void Rewrite(string folder, Random random)
    {
    }

    /// <summary>Deletes some of the store's indexes, chosen at random; the store then rebuilds them.</summary>
    public virtual void LoseIndex(Random random)
    {
    }

    /// <summary>Waits until every message has a UID.</summary>
    public virtual Task GiveUidsAsync() => Task.CompletedTask;

    /// <summary>Copies the whole store, indexes and caches included.</summary>
    public async Task<string> BackUpAsync()
    {
        var copy = $"{directory}-copy{copies++}";
        await GiveUidsAsync();
        await CopyAsync(directory, copy);
        return copy;
    }

    public async Task PutBackAsync(string copy)
    {
        System.IO.Directory.Delete(directory, recursive: true);
        await CopyAsync(copy, directory);
    }

    public static async Task CopyAsync(string from, string to) => await Command.RunAsync("cp", ["-a", from, to]);
}
