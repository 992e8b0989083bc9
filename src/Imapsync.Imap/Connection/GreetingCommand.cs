namespace Imapsync.Imap.Connection;

/// <summary>The server's first line, waited for like the reply to a command that was never sent.</summary>
internal sealed class GreetingCommand : ImapCommand
{
    public override string Name => "greeting";

    public override CommandClass Class => CommandClass.Alone;

    public override ValueTask EncodeAsync(CommandWriter writer) => throw new NotSupportedException("a greeting is not sent");
}
