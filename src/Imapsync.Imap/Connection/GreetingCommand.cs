namespace Imapsync.Imap.Connection;

/// <summary>Stands for the server's greeting, which is awaited like the reply to a command although nothing is sent.</summary>
internal sealed class GreetingCommand : ImapCommand
{
    public override string Name => "greeting";

    public override CommandClass Class => CommandClass.Alone;

    public override ValueTask EncodeAsync(CommandWriter writer) => throw new NotSupportedException("a greeting is not sent");
}
