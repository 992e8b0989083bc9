using System.Runtime.CompilerServices;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Views;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Labels;

/// <summary>
/// A source that shows labels as keywords. It has three folders, All Mail, Trash and Spam, since every message lies in exactly one of them.
/// </summary>
internal sealed class LabelsAsKeywords(IMessageStore store) : StoreView(store)
{
    public override async Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken)
    {
        var folders = await Store.ListFoldersAsync(cancellationToken);
        if (!folders.Any(f => f.Special == SpecialFolder.All && f.HoldsMessages))
            throw new MailException(FailureScope.Store, false, $"{Traits.Display} does not show All Mail, which 'labels: keywords' reads; let Gmail show it in IMAP (Settings, Labels)");
        return [.. folders.Select(f => f with
        {
            Use = f.Special is SpecialFolder.All or SpecialFolder.Trash or SpecialFolder.Junk ? FolderUse.View : FolderUse.LeftOut,
        })];
    }

    public override async Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken) =>
        new KeywordsFolder(await Store.OpenAsync(path, cancellationToken));
}

/// <summary>A target that shows labels as keywords and sets keywords as labels.</summary>
internal sealed class KeywordsAsLabels(ITargetStore target) : TargetView(target)
{
    private FolderPath? trash;

    public override async Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken)
    {
        var folders = await Store.ListFoldersAsync(cancellationToken);
        trash = folders.FirstOrDefault(f => f.Special == SpecialFolder.Trash)?.Path;
        return folders;
    }

    public override async Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken) =>
        new KeywordsFolder(await Store.OpenAsync(path, cancellationToken));

    public override async Task<IWritableFolder> OpenForWritingAsync(FolderPath path, CancellationToken cancellationToken)
    {
        if (trash is null)
            await ListFoldersAsync(cancellationToken);
        return new WritableLabelsFolder(await Target.OpenForWritingAsync(path, cancellationToken), trash);
    }
}

/// <summary>
/// A folder that shows each message's labels as flags. HIGHESTMODSEQ is hidden, since a change of labels need not change MODSEQ.
/// </summary>
internal class KeywordsFolder(IMessageFolder folder) : FolderView(folder, folder.Status with { HighestModSeq = null })
{
    private readonly Dictionary<(FlagSet Flags, IReadOnlyList<string> Labels), FlagSet> merged = [];

    public override async IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var labels = new Dictionary<Uid, MessageLabels>();
        await foreach (var message in Folder.ListAsync(request with { Labels = labels }, cancellationToken))
        {
            // The labels are listed after the messages. A message that is missing there was removed between the two listings. It is left
            // out, since it would otherwise seem to have lost its labels.
            if (labels.TryGetValue(message.Uid, out var its))
                yield return message with { Flags = Merge(message.Flags, its.Labels) };
        }
    }

    private FlagSet Merge(FlagSet flags, IReadOnlyList<string> labels)
    {
        if (!merged.TryGetValue((flags, labels), out var both))
            merged[(flags, labels)] = both = flags.Union(GmailLabels.ToFlags(labels));
        return both;
    }
}
