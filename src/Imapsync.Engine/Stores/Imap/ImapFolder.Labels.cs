using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

internal partial class ImapFolder
{
    // Labels are fetched after the listing, so that the labels of each listed message that still exists are known.
    private async Task FetchLabelsAsync(ListRequest request, IDictionary<Uid, MessageLabels> labels, CancellationToken cancellationToken)
    {
        var rows = new List<FetchedLabels>();
        foreach (var set in request.Uids?.ToWire(MaxSetLength) ?? ["1:*"])
            await GuardAsync(Client.FetchLabelsAsync(set, rows, cancellationToken), "the labels");
        var names = new Dictionary<IReadOnlyList<string>, IReadOnlyList<string>>(ReferenceEqualityComparer.Instance);
        foreach (var row in rows)
        {
            if (!names.TryGetValue(row.Labels, out var decoded))
                names[row.Labels] = decoded = [.. row.Labels.Select(ModifiedUtf7.Decode)];
            labels[row.Uid] = new MessageLabels(row.MessageId, decoded);
        }
    }
}

internal sealed partial class ImapWritableFolder
{
    public async Task SetLabelsAsync(UidSet uids, bool add, IReadOnlyList<string> labels, CancellationToken cancellationToken)
    {
        await ReviveAsync(cancellationToken);
        foreach (var set in uids.ToWire(900))
        {
            if (labels.Count > 1 && await TryStoreLabelsAsync(set, add, labels, cancellationToken) is null)
                continue;
            foreach (var label in labels)
            {
                if (await TryStoreLabelsAsync(set, add, [label], cancellationToken) is { } refusal)
                    Context.OnNote($"{Path}: the label {label} can't be {(add ? "set" : "taken away")}: {refusal.Reply}");
            }
        }
    }

    /// <summary>Tries to store labels; returns null on success. One label that the server rejects makes it refuse all of them.</summary>
    private async Task<ImapCommandException?> TryStoreLabelsAsync(string set, bool add, IReadOnlyList<string> labels, CancellationToken cancellationToken)
    {
        try
        {
            await Client.StoreLabelsAsync(set, add, [.. labels.Select(ModifiedUtf7.Encode)], cancellationToken);
            return null;
        }
        catch (ImapCommandException e) when (!e.IsTransient)
        {
            return e;
        }
        catch (Exception e)
        {
            await GuardAsync(Task.FromException(e), "changing labels");
            throw;
        }
    }
}
