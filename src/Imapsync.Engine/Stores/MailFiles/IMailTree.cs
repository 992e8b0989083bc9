using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.MailFiles;

/// <summary>Files of one program that each hold a message: which folders they make, and what is known of each.</summary>
internal interface IMailTree
{
    /// <summary>What it is, for people: <c>Apple Mail</c>.</summary>
    string Name { get; }

    /// <summary>What the files do not tell, for people.</summary>
    string Untold { get; }

    /// <summary>The folders that are there now with their directories, absolute; several where one name is written in two ways.</summary>
    IReadOnlyDictionary<FolderPath, IReadOnlyList<string>> List(LeftOut leftOut);

    /// <summary>The messages of one of those directories, in no order.</summary>
    IEnumerable<FiledMessage> Read(string directory, LeftOut leftOut);

    /// <summary>What the file of a message tells that only opening it shows. Default: nothing.</summary>
    FiledMessage Open(FiledMessage message) => message;
}

/// <summary>What lies there and is no message of the tree: told once, by number and first name.</summary>
internal sealed class LeftOut
{
    private readonly Dictionary<string, (int Count, string First)> other = [];
    private readonly Dictionary<string, (int Count, string First)> unread = [];

    /// <summary>It is no mail: a note.</summary>
    public void Other(string why, string path) => Add(other, why, path);

    /// <summary>It may be mail: a problem of the job.</summary>
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
