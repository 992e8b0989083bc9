using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>UID STORE that adds or removes flags, with .SILENT so that the server does not report the new flags.</summary>
    /// <param name="set">Ascending UIDs in wire form.</param>
    public async Task StoreAsync(string set, bool add, FlagSet flags, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new StoreCommand(set, add, flags), cancellationToken);
}

/// <summary>UID STORE that adds or removes flags (RFC 9051 §6.4.6), with .SILENT. FETCH replies are ignored.</summary>
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
