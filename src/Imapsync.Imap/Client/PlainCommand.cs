using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Client;

/// <summary>A command made of a name, words and strings. Its only reply is the tagged one.</summary>
/// <param name="words">Words in wire form, sent between the name and the strings.</param>
/// <param name="strings">Folder names and other strings, one character for each octet.</param>
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
