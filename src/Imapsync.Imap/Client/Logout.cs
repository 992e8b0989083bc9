using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Client;

/// <summary>LOGOUT (RFC 9051 §6.1.3); it completes at BYE or at the tagged reply, whichever comes first.</summary>
internal sealed class LogoutCommand : ImapCommand
{
    public override string Name => "LOGOUT";

    public override CommandClass Class => CommandClass.Alone;

    public override bool EndsConnection => true;

    public override ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("LOGOUT");
        return ValueTask.CompletedTask;
    }
}
