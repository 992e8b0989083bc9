using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Commands;

/// <summary>MYRIGHTS (RFC 4314 §3.5).</summary>
internal sealed class MyRightsCommand(string wireName) : ImapCommand
{
    public override string Name => "MYRIGHTS";

    public string Rights { get; private set; } = "";

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("MYRIGHTS ");
        await writer.StringAsync(wireName);
    }

    public override bool OnUntagged(ref ImapResponse response)
    {
        if (!response.Is("MYRIGHTS"u8) || !response.Arguments.Next().IsString)
            return false;
        var rights = response.Arguments.Next();
        if (rights.IsString)
            Rights = rights.ToLatin1();
        return true;
    }
}
