using System.Runtime.CompilerServices;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Labels;

/// <summary>
/// A folder of a target with labels. A message is appended once, and then its labels are set on that copy. If the run is interrupted in between, the
/// next run recognises the copy and sets the labels like changed flags.
/// </summary>
/// <param name="trash">
/// The folder to which removed messages are moved, since a message that is merely expunged from All Mail stays in the account.
/// </param>
internal sealed class WritableLabelsFolder(IWritableFolder folder, FolderPath? trash) : KeywordsFolder(folder), IWritableFolder
{
    public Uid UidNext => folder.UidNext;

    public async Task<IReadOnlyList<AppendReceipt>> AppendAsync(IAsyncEnumerable<IncomingMessage> window, CancellationToken cancellationToken)
    {
        var wanted = new Dictionary<Uid, IReadOnlyList<string>>();
        var receipts = (await folder.AppendAsync(WithoutLabels(window, wanted, cancellationToken), cancellationToken)).ToArray();
        var labelled = receipts.Where(r => r is { IsAccepted: true, Target.IsNone: false } && wanted.ContainsKey(r.Source)).ToList();
        await SetLabelsAsync(labelled.Select(r => (r.Target, wanted[r.Source])), add: true, cancellationToken);
        var there = await AmongAsync(new UidSet(labelled.Select(r => r.Target)), cancellationToken);
        for (var i = 0; i < receipts.Length; i++)
        {
            if (receipts[i].IsAccepted && wanted.TryGetValue(receipts[i].Source, out var labels) && !there.Contains(receipts[i].Target))
                receipts[i] = receipts[i] with { Note = $"the labels {string.Join(", ", labels)} are not set: the server threw this copy away for one it has, or does not tell its UID" };
        }

        return receipts;
    }

    public async Task<int> SetFlagsAsync(IReadOnlyList<FlagChange> changes, CancellationToken cancellationToken)
    {
        var plain = new List<FlagChange>(changes.Count);
        var add = new List<(Uid, IReadOnlyList<string>)>();
        var remove = new List<(Uid, IReadOnlyList<string>)>();
        foreach (var change in changes)
        {
            var (flagsToAdd, labelsToAdd) = GmailLabels.Split(change.Add);
            var (flagsToRemove, labelsToRemove) = GmailLabels.Split(change.Remove);
            if (!flagsToAdd.IsEmpty || !flagsToRemove.IsEmpty)
                plain.Add(new FlagChange(change.Uid, flagsToAdd, flagsToRemove));
            add.Add((change.Uid, labelsToAdd));
            remove.Add((change.Uid, labelsToRemove));
        }

        await folder.SetFlagsAsync(plain, cancellationToken);
        await SetLabelsAsync(add, add: true, cancellationToken);
        await SetLabelsAsync(remove, add: false, cancellationToken);
        return changes.Count;
    }

    /// <summary>Sets labels directly at the target; users of this view set labels as flags instead.</summary>
    public Task SetLabelsAsync(UidSet uids, bool add, IReadOnlyList<string> labels, CancellationToken cancellationToken) =>
        folder.SetLabelsAsync(uids, add, labels, cancellationToken);

    public Task<int> RemoveAsync(UidSet uids, FolderPath? into, CancellationToken cancellationToken) =>
        folder.RemoveAsync(uids, into ?? (Path.Equals(trash) ? null : trash), cancellationToken);

    private static async IAsyncEnumerable<IncomingMessage> WithoutLabels(
        IAsyncEnumerable<IncomingMessage> window, Dictionary<Uid, IReadOnlyList<string>> wanted, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var message in window.WithCancellation(cancellationToken))
        {
            var (flags, labels) = GmailLabels.Split(message.Info.Flags);
            if (labels.Count > 0)
                wanted[message.Uid] = labels;
            // Gmail moves a message that is appended with \Deleted out of the folder, so the message is appended without that flag.
            flags = flags.Except(FlagSet.Create(MessageFlags.Deleted));
            yield return new IncomingMessage(message.Info with { Flags = flags }, message.Length, message.Body) { Note = message.Note };
        }
    }

    /// <summary>
    /// Returns those of the UIDs that exist. When Gmail is sent a message that it already has, it reports a UID but stores nothing under it.
    /// </summary>
    private async Task<UidSet> AmongAsync(UidSet uids, CancellationToken cancellationToken)
    {
        var there = new UidSet();
        if (uids.IsEmpty)
            return there;
        await foreach (var message in folder.ListAsync(new ListRequest(uids), cancellationToken))
            there.Add(message.Uid);
        return there;
    }

    private async Task SetLabelsAsync(IEnumerable<(Uid Uid, IReadOnlyList<string> Labels)> changes, bool add, CancellationToken cancellationToken)
    {
        foreach (var same in changes.Where(c => c.Labels.Count > 0).GroupBy(c => string.Join('\n', c.Labels), StringComparer.Ordinal))
            await folder.SetLabelsAsync(new UidSet(same.Select(c => c.Uid)), add, same.First().Labels, cancellationToken);
    }
}
