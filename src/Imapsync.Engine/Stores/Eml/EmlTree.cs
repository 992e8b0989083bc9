using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.MailFiles;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>Folders are directories, messages files with the ending <c>.eml</c>; those at the top are INBOX.</summary>
internal sealed class EmlTree(string root) : IMailTree
{
    public string Name => ".eml files";

    public string Untold => "flags, keywords and when a message came: its header is asked, else the file's time";

    public IReadOnlyDictionary<FolderPath, IReadOnlyList<string>> List(LeftOut leftOut) => MailDirectories.Folders(root, this, leftOut, IsEml);

    public IEnumerable<FiledMessage> Read(string directory, LeftOut leftOut)
    {
        foreach (var file in MailDirectories.Files(directory, leftOut))
        {
            if (IsEml(file.Name))
                yield return new FiledMessage(Path.GetRelativePath(root, file.FullName), file.FullName, FlagSet.Empty);
            else
                leftOut.Other("files without the ending .eml, which are left out", file.FullName);
        }
    }

    private static bool IsEml(string name) => name.EndsWith(".eml", StringComparison.OrdinalIgnoreCase);
}
