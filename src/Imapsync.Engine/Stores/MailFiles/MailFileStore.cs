using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Engine.Stores.ReadOnly;

namespace Imapsync.Engine.Stores.MailFiles;

/// <summary>A directory in which another program stores each message in a file. It is only read.</summary>
internal sealed class MailFileStore : ReadOnlyStore
{
    private readonly string root;
    private readonly IMailTree tree;
    private readonly StoreContext context;
    private IReadOnlyDictionary<FolderPath, IReadOnlyList<string>> listed;

    private MailFileStore(Endpoint endpoint, IMailTree tree, StoreContext context, IReadOnlyDictionary<FolderPath, IReadOnlyList<string>> listed)
        : base(new StoreTraits(endpoint.Display, StatusShowsFlagChanges: false, MaxConcurrentFolders: Math.Clamp(Environment.ProcessorCount, 2, 8))) =>
        (root, this.tree, this.context, this.listed) = (endpoint.Place!, tree, context, listed);

    public static Task<IMessageStore> OpenAsync(Endpoint endpoint, IMailTree tree, StoreContext context, CancellationToken cancellationToken) =>
        Task.Run<IMessageStore>(() => LocalFiles.Guard(FailureScope.Store, endpoint.Display, () =>
        {
            if (!Directory.Exists(endpoint.Place))
                throw new MailException(FailureScope.Store, isTransient: false, $"{endpoint.Display}: there is no such directory") { Kind = FailureKind.Gone };
            // A path without mail is refused, because an unmounted disk or a mistyped path would look like an emptied mailbox.
            var found = tree.List(new LeftOut());
            return found.Count > 0
                ? new MailFileStore(endpoint, tree, context, found)
                : throw new MailException(FailureScope.Store, isTransient: false, $"{endpoint.Display}: there is no mail of {tree.Name}") { Kind = FailureKind.Gone };
        }), cancellationToken);

    public override Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken) => RunAsync<IReadOnlyList<FolderEntry>>(FailureScope.Store, root, () =>
    {
        var leftOut = new LeftOut();
        listed = tree.List(leftOut);
        leftOut.Tell(context, Traits.Display, null);
        return [.. listed.Keys.Select(f => new FolderEntry(f, Special: f.IsInbox ? Imapsync.Imap.SpecialFolder.Inbox : SpecialFolderNames.UseOf(f)) { KnowsSubscription = false })];
    }, cancellationToken);

    public override async Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken)
    {
        await using var folder = await OpenAsync(path, cancellationToken);
        return folder.Status;
    }

    public override Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken) => RunAsync<IMessageFolder>(FailureScope.Folder, path.ToString(), () =>
    {
        // A folder that is not in the listing is looked for once more, since it may be newer than the listing.
        var directories = listed.GetValueOrDefault(path) ?? tree.List(new LeftOut()).GetValueOrDefault(path) ?? throw NoFolder(path);
        if (!directories.Any(Directory.Exists))
            throw NoFolder(path);
        return MailFileFolder.Open(path, Traits.Display, [.. directories.Where(Directory.Exists)], tree, context, Traits.Display);
    }, cancellationToken);

    public override Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<StoreFact>>(
    [
        new StoreFact("path", root),
        new StoreFact("format", tree.Name),
        new StoreFact("folders", $"{listed.Count}"),
        new StoreFact("not told by the files", tree.Untold),
    ]);

    private static Task<T> RunAsync<T>(FailureScope scope, string what, Func<T> action, CancellationToken cancellationToken) =>
        Task.Run(() => LocalFiles.Guard(scope, what, action), cancellationToken);
}
