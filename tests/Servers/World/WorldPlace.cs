using Imapsync.Engine.Mail;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.World;

/// <summary>Where mail lies, and what people, their programs and their disks do there: all without a line of the product's code.</summary>
internal abstract class WorldPlace(string directory)
{
    private int copies;

    public string Directory => directory;

    public abstract Endpoint Endpoint { get; }

    /// <summary>Null where no connection leads to it.</summary>
    public virtual LyingLine? Line => null;

    public virtual DovecotServer? Server => null;

    public abstract MailCounts Read();

    public abstract void Deliver(string folder, WorldMail mail, Random random);

    /// <summary>Takes away one copy.</summary>
    public abstract void Remove(string folder, int number);

    public abstract void Move(string folder, int number, string to);

    public abstract void Flag(string folder, int number, Random random);

    public abstract Task CreateFolderAsync(string folder);

    public abstract Task DeleteFolderAsync(string folder);

    public abstract Task RenameFolderAsync(string from, string to);

    /// <summary>Another program opens a folder and writes it as it likes.</summary>
    public virtual void Rewrite(string folder, Random random)
    {
    }

    /// <summary>What was looked up of the mailbox's numbers is made anew, as after a loss of indexes.</summary>
    public virtual void LoseIndex(Random random)
    {
    }

    /// <summary>What lies there has its numbers.</summary>
    public virtual Task GiveUidsAsync() => Task.CompletedTask;

    /// <summary>A copy of the whole, with all indexes and caches as they are.</summary>
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
