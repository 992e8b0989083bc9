namespace Imapsync.Imap.Connection;

/// <summary>A pseudo-command for the server's greeting: nothing is sent, and the server's first line is its reply.</summary>
internal sealed class GreetingCommand : ImapCommand
{
    public override string Name => "greeting";

    public override CommandClass Class => CommandClass.Alone;

    public override ValueTask EncodeAsync(CommandWriter writer) => throw new NotSupportedException("a greeting is not sent");
}
