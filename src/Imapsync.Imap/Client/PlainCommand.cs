using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Client;

/// <summary>A command that is a name, words and strings, and whose whole answer is its tagged reply.</summary>
/// <param name="words">As they go on the wire, between the name and the strings.</param>
/// <param name="strings">Names of folders and the like, one character an octet.</param>
internal sealed class PlainCommand(string name, string words = "", CommandClass commandClass = CommandClass.Free, params string[] strings) : ImapCommand
{
    public override string Name => name;

    public override CommandClass Class => commandClass;

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text(words.Length == 0 ? name : $"{name} {words}");
        foreach (var text in strings)
        {
            writer.Text(" ");
            if (!await writer.StringAsync(text))
                return;
        }
    }
}
