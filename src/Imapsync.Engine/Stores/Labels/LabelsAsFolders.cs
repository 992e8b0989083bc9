using System.Runtime.CompilerServices;
using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Views;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Labels;

/// <summary>Shows each folder unchanged, except that All Mail shows only messages that lie in no other folder of the job.</summary>
internal sealed class LabelsAsFolders(IMessageStore store, FolderRules rules) : StoreView(store)
{
    private IReadOnlyList<FolderEntry>? listed;

    public override async Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken) =>
        listed = [.. (await Store.ListFoldersAsync(cancellationToken)).Select(f => f.Special == SpecialFolder.All ? f with { Use = FolderUse.View } : f)];

    public override async Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken)
    {
        var folders = FolderMapper.Map(listed ?? await ListFoldersAsync(cancellationToken), rules).Pairs.Select(p => p.Source).ToList();
        if (folders.Find(f => f.Path.Equals(path))?.Special != SpecialFolder.All)
            return await Store.OpenAsync(path, cancellationToken);

        // The other folders are opened one after the other, and closed before All Mail is opened, so that one connection is enough.
        var elsewhere = new HashSet<ulong>();
        foreach (var folder in folders.Where(f => f.Special != SpecialFolder.All))
        {
            await using var other = await Store.OpenAsync(folder.Path, cancellationToken);
            elsewhere.UnionWith((await IdentitiesAsync(other, cancellationToken)).Select(m => m.Identity));
        }

        var all = await Store.OpenAsync(path, cancellationToken);
        try
        {
            return await NowhereElseAsync(all, elsewhere, cancellationToken);
        }
        catch
        {
            await all.DisposeAsync();
            throw;
        }
    }

    private static async Task<IMessageFolder> NowhereElseAsync(IMessageFolder all, HashSet<ulong> elsewhere, CancellationToken cancellationToken)
    {
        var shown = new UidSet();
        var hidden = 0;
        foreach (var (uid, identity) in await IdentitiesAsync(all, cancellationToken))
        {
            if (elsewhere.Contains(identity))
                hidden++;
            else
                shown.Add(uid);
        }

        return new AllMailFolder(all, shown, hidden);
    }

    private static async Task<List<(Uid Uid, ulong Identity)>> IdentitiesAsync(IMessageFolder folder, CancellationToken cancellationToken)
    {
        var labels = new Dictionary<Uid, MessageLabels>();
        var identities = new List<(Uid, ulong)>();
        await foreach (var message in folder.ListAsync(new ListRequest(Labels: labels), cancellationToken))
        {
            if (labels.TryGetValue(message.Uid, out var its))
                identities.Add((message.Uid, its.Identity));
        }

        return identities;
    }

    /// <summary>
    /// Shows the messages that were in no other folder when All Mail was opened. Messages that arrive later are left to the next run, which can find
    /// out in which other folders they are. HIGHESTMODSEQ is hidden, since a label can be removed without a change of MODSEQ.
    /// </summary>
    private sealed class AllMailFolder(IMessageFolder all, UidSet shown, int hidden)
        : FolderView(all, all.Status with { Messages = Math.Max(0, all.Status.Messages - hidden), HighestModSeq = null })
    {
        public override async IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var message in Folder.ListAsync(request, cancellationToken))
            {
                // The sequence numbers count the hidden messages too.
                if (shown.Contains(message.Uid))
                    yield return message with { SequenceNumber = 0 };
            }
        }
    }
}
