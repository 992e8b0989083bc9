using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Serving.Mailboxes;

/// <summary>A session's folder: what it showed when it was selected, and its messages.</summary>
internal sealed class SelectedFolder : IAsyncDisposable
{
    /// <summary>What the engine reads of a header at most: a longer one has to be had with its message.</summary>
    private const int HeaderBytes = 1 << 20;
    private readonly IMessageFolder? folder;

    private SelectedFolder(string wireName, IMessageFolder? folder, FolderSnapshot snapshot, ServingLimits limits)
    {
        this.folder = folder;
        WireName = wireName;
        Snapshot = snapshot;
        Reader = new MessageReader(folder, limits);
    }

    public string WireName { get; }

    public FolderSnapshot Snapshot { get; }

    public MessageReader Reader { get; }

    /// <exception cref="MailException">It can't be opened.</exception>
    public static async Task<SelectedFolder> OpenAsync(ServedAccount account, ServedFolder served, UidValidity fallback, ServingLimits limits, CancellationToken cancellationToken)
    {
        var opened = served.Path is null ? null : await account.Store.OpenAsync(served.Path, cancellationToken);
        try
        {
            return new SelectedFolder(served.WireName, opened, await FolderSnapshot.TakeAsync(opened, fallback, limits.Messages, cancellationToken), limits);
        }
        catch when (opened is not null)
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    /// <summary>A message's header; null where it is gone, can't be read or is too long to be read by itself.</summary>
    public async ValueTask<byte[]?> ReadHeaderAsync(Uid uid, CancellationToken cancellationToken)
    {
        if (folder is null)
            return null;
        await foreach (var header in folder.ReadHeadersAsync(new UidSet([uid]), cancellationToken))
            return header.Octets.Length < HeaderBytes ? header.Octets.ToArray() : null;
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await Reader.DisposeAsync();
        if (folder is not null)
            await folder.DisposeAsync();
    }
}
