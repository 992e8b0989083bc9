using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Commands;

/// <summary>SUBSCRIBE, UNSUBSCRIBE (RFC 9051 §6.3.7, §6.3.8).</summary>
internal sealed class SubscribeCommand(string wireName, bool subscribe) : ImapCommand
{
    public override string Name => subscribe ? "SUBSCRIBE" : "UNSUBSCRIBE";

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text(Name + " ");
        await writer.StringAsync(wireName);
    }
}
