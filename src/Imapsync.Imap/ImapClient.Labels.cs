using Imapsync.Imap.Commands;

namespace Imapsync.Imap;

/// <summary>Gmail's labels (https://developers.google.com/gmail/imap/imap-extensions); only where X-GM-EXT-1 is offered.</summary>
public sealed partial class ImapClient
{
    /// <summary>Identities and labels of messages, in the order the server sent them.</summary>
    /// <param name="set">A sequence set of UIDs, e.g. <c>1:*</c>.</param>
    /// <param name="rows">Where they are added to.</param>
    public async Task FetchLabelsAsync(string set, List<FetchedLabels> rows, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new FetchLabelsCommand(set, rows, MaxRows), cancellationToken);

    /// <param name="set">Ascending UIDs as they go on the wire.</param>
    /// <param name="labels">As on the wire, at least one; a label that is new is made by the server.</param>
    public async Task StoreLabelsAsync(string set, bool add, IReadOnlyList<string> labels, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new StoreLabelsCommand(set, add, labels), cancellationToken);
}
