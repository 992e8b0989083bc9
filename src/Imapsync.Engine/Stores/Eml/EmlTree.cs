using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.MailFiles;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>Folders are directories, messages files with the ending <c>.eml</c>; those at the top are INBOX.</summary>
internal sealed class EmlTree(string root) : IMailTree
{
    public string Name => ".eml files";

    public string Untold => "flags, keywords and when a message came: its header is asked, else the file's time";

    public IReadOnlyDictionary<FolderPath, IReadOnlyList<string>> List(LeftOut leftOut)
    {
        var folders = new Dictionary<FolderPath, List<string>>();
        foreach (var (directory, levels) in MailDirectories.All(root, leftOut))
        {
            if (!directory.EnumerateFiles().Any(f => IsEml(f.Name)))
                continue;
            var path = levels.Count == 0 ? FolderPath.Inbox : new FolderPath(levels);
            if (!folders.TryGetValue(path, out var directories))
                folders.Add(path, directories = []);
            directories.Add(directory.FullName);
        }

        return folders.ToDictionary(f => f.Key, f => (IReadOnlyList<string>)f.Value);
    }

    public IEnumerable<FiledMessage> Read(string directory, LeftOut leftOut)
    {
        foreach (var file in new DirectoryInfo(directory).EnumerateFiles())
        {
            if (IsEml(file.Name))
                yield return new FiledMessage(Path.GetRelativePath(root, file.FullName), file.FullName, FlagSet.Empty);
            else if (!MailDirectories.IsOfTheSystem(file.Name))
                leftOut.Other("files without the ending .eml, which are left out", file.FullName);
        }
    }

    private static bool IsEml(string name) => name.EndsWith(".eml", StringComparison.OrdinalIgnoreCase);
}
