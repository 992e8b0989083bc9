using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Imap;

public sealed partial class ImapStore
{
    public async Task<IWritableFolder> OpenForWritingAsync(FolderPath path, CancellationToken cancellationToken)
    {
        var folder = await SelectAsync(
            path,
            readOnly: false,
            (client, selected, wire) => new ImapWritableFolder(
                pool, client, path, ToOpenStatus(selected), context, wire, new StorableFlags(selected), memories.GetOrAdd(path, _ => new AppendHistory()),
                ReadMemoryOf(path), WireNameAsync),
            cancellationToken);
        try
        {
            await folder.PrepareAsync(cancellationToken);
            return folder;
        }
        catch
        {
            await folder.DisposeAsync();
            throw;
        }
    }
}
