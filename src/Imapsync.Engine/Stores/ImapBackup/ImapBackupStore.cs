using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Engine.Stores.MailFiles;
using Imapsync.Engine.Stores.Mbox;
using Imapsync.Engine.Stores.ReadOnly;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.ImapBackup;

/// <summary>
/// An account's directory of imap-backup: folder A/B is the file <c>A/B.mbox</c> (mboxrd) with its flags in <c>A/B.imap</c>. Messages get their UIDs
/// as in any mbox that is only read (<see cref="MboxMemory"/>).
/// </summary>
internal sealed class ImapBackupStore : ReadOnlyStore
{
    private const string MailEnding = ".mbox";
    private const string FlagsEnding = ".imap";
    private readonly string root;
    private readonly StoreContext context;

    private ImapBackupStore(ImapBackupEndpoint endpoint, StoreContext context)
        : base(new StoreTraits(endpoint.Display, StatusShowsFlagChanges: false, MaxConcurrentFolders: 4) { NotedFields = MetadataNames.Noted }) =>
        (root, this.context) = (endpoint.Directory, context);

    public static Task<IMessageStore> OpenAsync(ImapBackupEndpoint endpoint, StoreContext context, CancellationToken cancellationToken) =>
        Task.Run<IMessageStore>(() => LocalFiles.Guard(FailureScope.Store, endpoint.Display, () =>
        {
            // A disk that is not mounted, or a mistyped path, must not look like a mailbox from which all mail was removed, so it is refused.
            return Directory.Exists(endpoint.Directory) && Find(endpoint.Directory, new LeftOut()).Count > 0
                ? new ImapBackupStore(endpoint, context)
                : throw new MailException(FailureScope.Store, isTransient: false, $"{endpoint.Display}: there is no account of imap-backup; give the directory that holds INBOX.mbox and INBOX.imap") { Kind = FailureKind.Gone };
        }), cancellationToken);

    public override Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken) => Task.Run<IReadOnlyList<FolderEntry>>(
        () => LocalFiles.Guard(FailureScope.Store, root, () =>
        {
            var leftOut = new LeftOut();
            var found = Find(root, leftOut);
            leftOut.Tell(context, Traits.Display, null);
            return found.Keys.Select(f => new FolderEntry(f, Special: f.IsInbox ? SpecialFolder.Inbox : SpecialFolderNames.UseOf(f)) { KnowsSubscription = false }).ToList();
        }),
        cancellationToken);

    public override async Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken)
    {
        await using var folder = await OpenAsync(path, cancellationToken);
        return folder.Status;
    }

    public override Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken)
    {
        var file = LocalFiles.Guard(FailureScope.Folder, path.ToString(), () => Find(root, new LeftOut()).GetValueOrDefault(path) ?? throw NoFolder(path));
        return LocalFiles.GuardAsync<IMessageFolder>(file, async () =>
        {
            var memory = MboxMemory.Of(file, context);
            var (mbox, found) = await QuietMbox.OpenAsync(file, memory?.IndexPath ?? file + FileNames.IndexSuffix, context.Time, cancellationToken);
            try
            {
                if (found.Doubts.Count > 0)
                    context.OnUnread(path, Reasons.Doubtful, $"{file}: {found.Doubts[0]}{(found.Doubts.Count > 1 ? $"; {found.Doubts.Count - 1} more such lines" : "")}");
                var state = memory is null ? found.State : await memory.KeepAsync(found, cancellationToken);
                return new MboxFolder(path, mbox, WithFlags(path, file, state));
            }
            catch
            {
                mbox.Dispose();
                throw;
            }
        });
    }

    public override async Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken) =>
    [
        new StoreFact("path", root),
        new StoreFact("format", "imap-backup, folder A/B is A/B.mbox with A/B.imap"),
        new StoreFact("folders", $"{(await ListFoldersAsync(cancellationToken)).Count}"),
        new StoreFact("not told by the files", "the dates of arrival: the header's count"),
    ];

    /// <summary>Returns the file of each folder. If INBOX exists in several spellings, one of them is read and the others are reported.</summary>
    private static Dictionary<FolderPath, string> Find(string root, LeftOut leftOut)
    {
        var found = new Dictionary<FolderPath, string>();
        foreach (var (directory, levels) in MailDirectories.All(root, leftOut))
        {
            foreach (var file in MailDirectories.Files(directory.FullName, leftOut).OrderBy(f => f.Name, StringComparer.Ordinal))
            {
                var ending = ((string[])[MailEnding, FlagsEnding]).FirstOrDefault(e => file.Name.EndsWith(e, StringComparison.Ordinal) && file.Name.Length > e.Length);
                var mail = ending is null ? null : file.FullName[..^ending.Length] + MailEnding;
                if (file.LinkTarget is not null)
                    leftOut.Unread("symbolic links, which are not followed", file.FullName);
                else if (mail is null || !File.Exists(mail))
                    leftOut.Unknown("files that are no .mbox, nor the .imap of one, which are left out", file.FullName);
                else if (ending == MailEnding && new FolderPath([.. levels, file.Name[..^ending.Length]]) is var path && !found.TryAdd(path, mail))
                    leftOut.Unread($"files of the folder {path}, as which {found[path]} is read; rename them", mail);
            }
        }

        return found;
    }

    private MboxState WithFlags(FolderPath path, string file, MboxState state)
    {
        var beside = file[..^MailEnding.Length] + FlagsEnding;
        Dictionary<long, FlagSet>? flags = null;
        var why = "there is none";
        try
        {
            if (File.Exists(beside))
            {
                using var json = OrdinaryFile.OpenRead(beside);
                flags = ImapBackupFlags.Read(json);
                why = "it can't be read";
            }
        }
        catch (Exception e) when (FileErrors.Is(e) && !FileErrors.IsEverywhere(e))
        {
            why = FileErrors.Explain(e);
        }

        if (flags is null)
            context.OnUnread(path, Reasons.Unread, $"{beside}: {why}, so the flags of the folder are left out, and those that came from it are taken off its copies until it can be read");
        var lost = flags?.Keys.Except(state.Records.Select(r => r.Offset)).Count() ?? 0;
        if (lost > 0)
            context.OnUnread(path, Reasons.Unread, $"{beside} names messages that do not begin where it says in {Path.GetFileName(file)}, which may be cut off: {lost}");
        return state with { Records = [.. state.Records.Select(r => r with { Flags = flags?.GetValueOrDefault(r.Offset) ?? FlagSet.Empty })] };
    }
}
