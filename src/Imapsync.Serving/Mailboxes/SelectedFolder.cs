using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Serving.Mailboxes;

/// <summary>The folder a session has selected: a snapshot from the time of selection, and a reader for its messages.</summary>
internal sealed class SelectedFolder : IAsyncDisposable
{
    /// <summary>
    /// The length in octets to which stores truncate a header that is read on its own. A longer header must be read with its message.
    /// </summary>
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

    /// <exception cref="MailException">The folder can't be opened.</exception>
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

    /// <summary>Reads a message's header; null if the message is gone, can't be read, or its header is too long to be read separately.</summary>
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
