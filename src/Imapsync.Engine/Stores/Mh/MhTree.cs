using System.Globalization;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Engine.Stores.MailFiles;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mh;

/// <summary>
/// Folders are directories, and messages are files named by numbers. The flags are in <c>.mh_sequences</c> (MH, nmh, mutt), in Claws Mail's
/// <c>.claws_mark</c>, in Sylpheed's <c>.sylpheed_mark</c>, or in a message's field <c>X-Evolution</c>. Messages renumbered by packing or
/// sorting are recognised by their contents.
/// </summary>
internal sealed class MhTree(string root) : IMailTree
{
    private static readonly string[] Known = [MhSequences.FileName, "context", ".xmhcache", ".folder", "folders", ".folders", ".claws_cache", ".sylpheed_cache", ".cmeta", ".mew-summary", ".mew-cache"];

    public string Name => "MH";

    public string Untold => "when a message came: its header is asked, else the file's time; flags where no file of marks lies in the folder";

    public IReadOnlyDictionary<FolderPath, IReadOnlyList<string>> List(LeftOut leftOut) =>
        MailDirectories.Folders(root, this, leftOut, n => IsNumber(n) || n is MhSequences.FileName or ClawsMarks.ClawsFile or ClawsMarks.SylpheedFile);

    public IEnumerable<FiledMessage> Read(string directory, LeftOut leftOut)
    {
        var marks = ReadMarks(directory, leftOut);
        foreach (var file in MailDirectories.Files(directory, leftOut))
        {
            if (IsNumber(file.Name))
                yield return new FiledMessage(Path.GetRelativePath(root, file.FullName), file.FullName, marks?.Invoke(uint.Parse(file.Name, CultureInfo.InvariantCulture)) ?? FlagSet.Empty);
            else if (IsDeleted(file.Name))
                leftOut.Other("messages that MH has deleted, which are left out", file.FullName);
            else if (!Known.Contains(file.Name) && file.Name is not (ClawsMarks.ClawsFile or ClawsMarks.SylpheedFile))
                leftOut.Unknown("files whose names are no numbers, which are left out", file.FullName);
        }
    }

    public FiledMessage Open(FiledMessage message)
    {
        if (HasMarks(Path.GetDirectoryName(message.File)!))
            return message;
        try
        {
            using var file = OrdinaryFile.OpenRead(message.File);
            return message with { Flags = EvolutionFlags.Read(file) };
        }
        catch (Exception e) when (FileErrors.Is(e) && !FileErrors.IsEverywhere(e))
        {
            // The failure is ignored here; the later attempt to read the message reports it.
            return message;
        }
    }

    private static bool HasMarks(string directory) =>
        ((string[])[MhSequences.FileName, ClawsMarks.ClawsFile, ClawsMarks.SylpheedFile]).Any(f => File.Exists(Path.Combine(directory, f)));

    /// <summary>Returns the flags by message number from the folder's file of flags; null if that file is missing or unreadable.</summary>
    private static Func<uint, FlagSet>? ReadMarks(string directory, LeftOut leftOut)
    {
        foreach (var name in (string[])[ClawsMarks.ClawsFile, ClawsMarks.SylpheedFile, MhSequences.FileName])
        {
            var path = Path.Combine(directory, name);
            if (!File.Exists(path))
                continue;
            try
            {
                using var file = OrdinaryFile.OpenRead(path);
                if ((name == MhSequences.FileName ? MhSequences.Read(file) : ClawsMarks.Read(file)) is { } marks)
                    return marks;
                leftOut.Unread("files of flags that can't be read, so the flags of their folders are left out, and taken off the copies until they can be read", path);
            }
            catch (Exception e) when (FileErrors.Is(e) && !FileErrors.IsEverywhere(e))
            {
                leftOut.Unread($"files of flags that can't be read ({LocalFiles.Failure(e, FailureScope.Folder, path).Message}), so the flags of their folders are left out, and taken off the copies until they can be read", path);
            }
        }

        return null;
    }

    private static bool IsNumber(string name) =>
        name.Length is > 0 and < 10 && name[0] != '0' && name.AsSpan().IndexOfAnyExceptInRange('0', '9') < 0;

    /// <summary>Returns whether a file name marks a deleted message: <c>,12</c>, on some systems <c>#12</c>.</summary>
    private static bool IsDeleted(string name) => name.Length > 1 && name[0] is ',' or '#' && IsNumber(name[1..]);
}
