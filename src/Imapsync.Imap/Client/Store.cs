using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>UID STORE of flags to add or take, silent.</summary>
    /// <param name="set">Ascending UIDs as they go on the wire.</param>
    public async Task StoreAsync(string set, bool add, FlagSet flags, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new StoreCommand(set, add, flags), cancellationToken);
}

/// <summary>UID STORE of flags to add or take (RFC 9051 §6.4.6), silent; counts nothing itself.</summary>
internal sealed class StoreCommand(string set, bool add, FlagSet flags) : ImapCommand
{
    public override string Name => "UID STORE";

    public override CommandClass Class => CommandClass.NeedsSelection;

    public override ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text($"UID STORE {set} {(add ? '+' : '-')}FLAGS.SILENT ({flags})");
        return ValueTask.CompletedTask;
    }

    public override bool OnUntagged(ref ImapResponse response) => response.Is("FETCH"u8);
}
