using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.MailFiles;

/// <summary>The files of a mail program that stores each message in a file. They yield the folders and each message's metadata.</summary>
internal interface IMailTree
{
    /// <summary>The mail program's name, for people: <c>Apple Mail</c>.</summary>
    string Name { get; }

    /// <summary>A text for people about metadata that these files don't contain.</summary>
    string Untold { get; }

    /// <summary>
    /// Lists the existing folders, each with the absolute paths of its directories. Several directories may stand for one folder.
    /// </summary>
    IReadOnlyDictionary<FolderPath, IReadOnlyList<string>> List(LeftOut leftOut);

    /// <summary>Returns the messages in one directory of a folder, in no particular order.</summary>
    IEnumerable<FiledMessage> Read(string directory, LeftOut leftOut);

    /// <summary>Adds metadata that only the message's own file contains. By default it adds nothing.</summary>
    FiledMessage Open(FiledMessage message) => message;
}

/// <summary>
/// Files of the tree that are not read as messages. Each kind is reported once, with the number of files and the first file's name.
/// </summary>
internal sealed class LeftOut
{
    private const int MaxOpened = 1_000;

    private int opened;

    private readonly Dictionary<string, (int Count, string First)> other = [];
    private readonly Dictionary<string, (int Count, string First)> unread = [];

    /// <summary>Records a file that is not mail, such as a note.</summary>
    /// <param name="why">The kind of file, for people.</param>
    public void Other(string why, string path) => Add(other, why, path);

    /// <summary>
    /// Records a file that the tree does not read. The file counts as unread mail if its beginning looks like mail. Only the first <see
    /// cref="MaxOpened"/> files are opened, because a directory of many attachments would slow down each run.
    /// </summary>
    /// <param name="why">The kind of file and that it is left out, for people.</param>
    public void Unknown(string why, string path)
    {
        if (++opened <= MaxOpened && ForeignMail.OfFile(path) is { } mail)
            Unread($"{why} and hold mail ({mail})", path);
        else
            Other(why, path);
    }

    /// <summary>Records a file that may be mail but is not read. The job reports it as a problem.</summary>
    /// <param name="why">The kind of file, for people.</param>
    public void Unread(string why, string path) => Add(unread, why, path);

    public void Tell(StoreContext context, string display, FolderPath? folder)
    {
        foreach (var (why, (count, first)) in other)
            context.OnNote($"{display}: {why}: {count}, {first} first");
        foreach (var (why, (count, first)) in unread)
            context.OnUnread(folder, Reasons.Unread, $"{display}: {why}: {count}, {first} first");
    }

    private static void Add(Dictionary<string, (int Count, string First)> to, string why, string path) =>
        to[why] = to.TryGetValue(why, out var before) ? (before.Count + 1, before.First) : (1, path);
}
