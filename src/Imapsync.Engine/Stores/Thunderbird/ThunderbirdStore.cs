using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Mbox;
using Imapsync.Engine.Stores.ReadOnly;
using Imapsync.Engine.Stores.Views;

namespace Imapsync.Engine.Stores.Thunderbird;

/// <summary>
/// The accounts of a Thunderbird profile: directories of mbox files below <c>Mail</c> or <c>ImapMail</c>, which <see cref="MboxStore"/>
/// reads. Of several accounts, each one's folders are shown below its directory's name. A single account is shown without that level.
/// </summary>
internal sealed class ThunderbirdStore : ReadOnlyStore
{
    private const string Mail = "Mail";
    private const string ImapMail = "ImapMail";
    private readonly IReadOnlyList<Account> accounts;
    private readonly string root;

    private ThunderbirdStore(ThunderbirdEndpoint endpoint, IReadOnlyList<Account> accounts)
        : base(accounts[0].Store.Traits with { Display = endpoint.Display, KeepsWhatItGets = false }) =>
        (root, this.accounts) = (endpoint.Directory, accounts);

    public static async Task<IMessageStore> OpenAsync(ThunderbirdEndpoint endpoint, StoreContext context, CancellationToken cancellationToken)
    {
        var directories = Directories(endpoint, context);
        var names = NamesOf(directories);
        var opened = new List<Account>();
        try
        {
            foreach (var directory in directories)
            {
                try
                {
                    opened.Add(new Account(names[directory], await MboxStore.OpenAsync(new MboxEndpoint(directory), forWriting: false, context, cancellationToken)));
                }
                catch (MailException e) when (e.Kind == FailureKind.Gone && directories.Count > 1)
                {
                    // This account has no mbox. If it never had mail, a note is enough. Mail in another form, such as Thunderbird's
                    // maildir, is reported as not read.
                    if (HasOtherMail(directory))
                        context.OnUnread(null, Reasons.Unread, e.Message);
                    else
                        context.OnNote(e.Message);
                }
            }
        }
        catch
        {
            foreach (var account in opened)
                await account.Store.DisposeAsync();
            throw;
        }

        if (opened.Count == 0)
            throw new MailException(FailureScope.Store, isTransient: false, $"{endpoint.Display}: there is no mail of Thunderbird; give a profile's directory, with Mail or ImapMail in it, or one account's") { Kind = FailureKind.Gone };
        if (opened.Count == 1)
        {
            if (directories[0] != endpoint.Directory)
                context.OnNote($"{endpoint.Display}: only {opened[0].Name} holds mail, and its folders are shown without a level for it; name that directory in the URL, so that they stay where they are when another account comes");
            opened = [opened[0] with { Name = null }];
        }

        return new ThunderbirdStore(endpoint, opened);
    }

    public override async Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken)
    {
        var entries = new List<FolderEntry>();
        foreach (var account in accounts)
            entries.AddRange((await account.Store.ListFoldersAsync(cancellationToken)).Select(f => f with { Path = account.Outer(f.Path), Special = SpecialOf(account, f), KnowsSubscription = false }));
        return entries;
    }

    public override async Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken)
    {
        var (account, inner) = Find(path);
        return await account.Store.GetStatusAsync(inner, cancellationToken);
    }

    public override async Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken)
    {
        var (account, inner) = Find(path);
        var folder = await account.Store.OpenAsync(inner, cancellationToken);
        return account.Name is null ? folder : new AccountFolder(folder, path);
    }

    public override async Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken) =>
    [
        new StoreFact("path", root),
        new StoreFact("format", "Thunderbird, folder A/B is the file A.sbd/B"),
        new StoreFact("accounts", $"{accounts.Count}"),
        new StoreFact("folders", $"{(await ListFoldersAsync(cancellationToken)).Count}"),
        new StoreFact("not told by the files", "mail of IMAP accounts that was not downloaded"),
    ];

    public override async ValueTask DisposeAsync()
    {
        foreach (var account in accounts)
            await account.Store.DisposeAsync();
        await base.DisposeAsync();
    }

    private static bool HasOtherMail(string directory)
    {
        try
        {
            var listing = new MboxListing((_, name) => name);
            listing.Read(directory);
            return listing.Unread.Count > 0;
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            // A directory that can't be read may hold mail.
            return true;
        }
    }

    /// <summary>
    /// Returns, for each account's directory, the level below which its folders are shown. Usually it is the directory's name. It differs
    /// (1) if Mail and ImapMail contain the same name, or (2) if the name is INBOX in other letter case.
    /// </summary>
    private static Dictionary<string, string> NamesOf(IReadOnlyList<string> directories)
    {
        var names = new Dictionary<string, string>();
        foreach (var directory in directories)
        {
            var name = new FolderPath(Path.GetFileName(directory)).Name;
            for (var i = 1; names.ContainsValue(name); i++)
                name = $"{Path.GetFileName(directory)} ({Path.GetFileName(Path.GetDirectoryName(directory))}{(i == 1 ? "" : $" {i}")})";
            names.Add(directory, name);
        }

        return names;
    }

    /// <summary>Returns the accounts' directories in a profile; for any other directory, the directory itself.</summary>
    private static IReadOnlyList<string> Directories(ThunderbirdEndpoint endpoint, StoreContext context)
    {
        try
        {
            var mail = Below(Mail);
            var imap = Below(ImapMail);
            if (imap.Count > 0)
                context.OnNote($"{endpoint.Display}: ImapMail holds what Thunderbird has downloaded of IMAP accounts, which may not be all of it: copy from the server where it is still there");
            if (mail.Count + imap.Count == 0)
                return [endpoint.Directory];
            TellOthers(new DirectoryInfo(endpoint.Directory), "beside Mail and ImapMail", e => e is not DirectoryInfo { Name: Mail or ImapMail });
            return [.. mail, .. imap];
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw new MailException(FailureScope.Store, isTransient: false, $"{endpoint.Display}: {FileErrors.Explain(e)}", e);
        }

        List<string> Below(string name)
        {
            var place = new DirectoryInfo(Path.Combine(endpoint.Directory, name));
            if (!place.Exists)
                return [];
            var below = place.EnumerateDirectories().ToLookup(d => d.LinkTarget is not null, d => d.FullName);
            TellOthers(place, "that lie beside the accounts' directories", e => e is not DirectoryInfo);
            foreach (var link in below[true])
                context.OnUnread(null, Reasons.Unread, $"{link}: a symbolic link, which is not followed");
            return [.. below[false].Order(StringComparer.Ordinal)];
        }

        void TellOthers(DirectoryInfo place, string where, Func<FileSystemInfo, bool> isOther)
        {
            var others = place.EnumerateFileSystemInfos().Where(isOther).Select(e => e.FullName).Order(StringComparer.Ordinal).ToList();
            if (others.Count > 0)
                context.OnNote($"{endpoint.Display}: files and directories {where} are left out: {others.Count}, {others[0]} first");
        }
    }

    /// <summary>
    /// Returns a folder's special use. Only the INBOX of a single account has one, because Thunderbird's settings are not read.
    /// </summary>
    private static Imapsync.Imap.SpecialFolder SpecialOf(Account account, FolderEntry folder) =>
        account.Name is null ? folder.Special : Imapsync.Imap.SpecialFolder.None;

    private (Account Account, FolderPath Inner) Find(FolderPath path)
    {
        foreach (var account in accounts)
        {
            if (account.Inner(path) is { } inner)
                return (account, inner);
        }

        throw NoFolder(path);
    }

    /// <param name="Name">The level below which the account's folders are shown; null for none.</param>
    private sealed record Account(string? Name, IMessageStore Store)
    {
        public FolderPath Outer(FolderPath path) => Name is null ? path : new FolderPath([Name, .. path.Levels]);

        public FolderPath? Inner(FolderPath path) =>
            Name is null ? path : path.Levels.Length > 1 && path.Levels[0] == Name ? new FolderPath(path.Levels.Skip(1)) : null;
    }

    private sealed class AccountFolder(IMessageFolder folder, FolderPath path) : FolderView(folder, folder.Status)
    {
        public override FolderPath Path => path;

        public override IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, CancellationToken cancellationToken) => Folder.ListAsync(request, cancellationToken);
    }
}
