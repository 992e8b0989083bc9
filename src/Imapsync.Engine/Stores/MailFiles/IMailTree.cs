using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.MailFiles;

/// <summary>The files of one mail program that each hold a message: which folders they form, and what is known of each message.</summary>
internal interface IMailTree
{
    /// <summary>The mail program's name, for people: <c>Apple Mail</c>.</summary>
    string Name { get; }

    /// <summary>A note for people on what the files don't record.</summary>
    string Untold { get; }

    /// <summary>Lists the existing folders with the absolute paths of their directories; several where one name is written in two ways.</summary>
    IReadOnlyDictionary<FolderPath, IReadOnlyList<string>> List(LeftOut leftOut);

    /// <summary>Reads the messages of one of those directories, in no particular order.</summary>
    IEnumerable<FiledMessage> Read(string directory, LeftOut leftOut);

    /// <summary>Completes a message with the information that only opening its file reveals. Default: nothing.</summary>
    FiledMessage Open(FiledMessage message) => message;
}

/// <summary>Files that are not messages of the tree: reported once, with their number and the first name.</summary>
internal sealed class LeftOut
{
    private const int MaxOpened = 1_000;

    private int opened;

    private readonly Dictionary<string, (int Count, string First)> other = [];
    private readonly Dictionary<string, (int Count, string First)> unread = [];

    /// <summary>Records a file that is not mail, such as a note.</summary>
    public void Other(string why, string path) => Add(other, why, path);

    /// <summary>
    /// Records a file that the tree does not read: as other than mail, unless it turns out to hold some. So that a directory of many
    /// attachments does not slow down each run, no more than some are opened.
    /// </summary>
    /// <param name="why">Names the files, and says that they are left out.</param>
    public void Unknown(string why, string path)
    {
        if (++opened <= MaxOpened && ForeignMail.OfFile(path) is { } mail)
            Unread($"{why} and hold mail ({mail})", path);
        else
            Other(why, path);
    }

    /// <summary>Records a file that may be mail, which is a problem of the job.</summary>
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
