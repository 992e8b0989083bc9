using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Commands;

/// <summary>SETACL (RFC 4314 §3.1).</summary>
/// <param name="rights">Letters; behind a <c>+</c> they are added to those that are there.</param>
internal sealed class SetAclCommand(string wireName, string identifier, string rights) : ImapCommand
{
    public override string Name => "SETACL";

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("SETACL ");
        if (!await writer.StringAsync(wireName))
            return;
        writer.Text(" ");
        if (!await writer.StringAsync(identifier))
            return;
        writer.Text(" ");
        await writer.StringAsync(rights);
    }
}
