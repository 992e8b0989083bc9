using System.Text.RegularExpressions;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Engine.Stores.MailFiles;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Emlx;

/// <summary>
/// Apple Mail's own directories (<c>~/Library/Mail/V10</c>, an account in it, or one <c>.mbox</c>). A folder is a directory <c>NAME.mbox</c>; its
/// messages are somewhere in its <c>Messages</c> and <c>Data</c>. A message whose attachments Mail stores elsewhere or did not fetch is a file
/// <c>.partial.emlx</c>. It is reported as incomplete and not copied, since the copy would look whole.
/// </summary>
internal sealed partial class EmlxTree(string root) : IMailTree
{
    private const string Ending = ".mbox";

    public string Name => "Apple Mail";

    public string Untold => "keywords of your own, and which folder is for which use";

    public IReadOnlyDictionary<FolderPath, IReadOnlyList<string>> List(LeftOut leftOut) => MailDirectories.Folders(root, this, leftOut, IsEmlx, PathOf);

    public IEnumerable<FiledMessage> Read(string directory, LeftOut leftOut)
    {
        foreach (var file in MailDirectories.Files(directory, leftOut))
        {
            var message = new FiledMessage(Path.GetRelativePath(root, file.FullName), file.FullName, FlagSet.Empty);
            if (file.Name.EndsWith(".partial.emlx", StringComparison.OrdinalIgnoreCase))
                yield return message with { Damage = "Apple Mail has it in part only: attachments were not fetched, or lie in files of their own; let Mail fetch the whole message (Mailbox, Rebuild), or export it" };
            else if (IsEmlx(file.Name))
                yield return message;
            else
                leftOut.Unknown("files without the ending .emlx, which are left out", file.FullName);
        }
    }

    public FiledMessage Open(FiledMessage message)
    {
        if (message.Damage is not null)
            return message;
        try
        {
            using var file = OrdinaryFile.OpenRead(message.File);
            return EmlxFile.Read(file) is { } found
                ? message with { Part = (found.Offset, found.Length), Flags = found.Flags, Date = found.Received, Damage = found.Damage }
                : message with { Damage = "its first line is no length, so this is no .emlx file" };
        }
        catch (Exception e) when (FileErrors.Is(e) && !FileErrors.IsEverywhere(e))
        {
            return message with { Damage = LocalFiles.Failure(e, FailureScope.Message, message.File).Message };
        }
    }

    /// <summary>
    /// Returns the path of the folder that a directory belongs to. Its levels are the names of the directories above the first .mbox
    /// directory, then the names of the .mbox directories down to this one.
    /// </summary>
    private FolderPath PathOf(IReadOnlyList<string> levels)
    {
        var names = new List<string>();
        var top = Path.GetFileName(Path.TrimEndingDirectorySeparator(root));
        var isInMailbox = top.EndsWith(Ending, StringComparison.OrdinalIgnoreCase);
        if (isInMailbox)
            names.Add(top[..^Ending.Length]);
        foreach (var level in levels)
        {
            if (level.EndsWith(Ending, StringComparison.OrdinalIgnoreCase) && level.Length > Ending.Length)
            {
                isInMailbox = true;
                names.Add(level[..^Ending.Length]);
            }
            else if (!isInMailbox && !IsInternal(level))
            {
                names.Add(level);
            }
        }

        return names.Count == 0 ? FolderPath.Inbox : new FolderPath(names);
    }

    /// <summary>
    /// Returns whether the name is one that Apple Mail gives to directories of its own. Any other name is that of a mail folder, as a
    /// person chose it.
    /// </summary>
    private static bool IsInternal(string name) =>
        name is "Messages" or "Data" or "Mailboxes" or "MailData" || Version().IsMatch(name) || Guid.TryParse(name, out _);

    private static bool IsEmlx(string name) => name.EndsWith(".emlx", StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex("^V[0-9]+$", RegexOptions.None, 1000)]
    private static partial Regex Version();
}
