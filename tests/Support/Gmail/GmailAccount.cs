namespace Imapsync.Tests.Support.Gmail;

/// <summary>
/// A simulated Gmail account: one copy of each message, labels, and folders that are views of the messages. Not thread-safe: concurrent
/// callers must lock it.
/// </summary>
public sealed class GmailAccount
{
    private readonly List<GmailMessage> messages = [];
    private readonly Dictionary<string, GmailFolder> folders = new(StringComparer.OrdinalIgnoreCase);
    private uint validity = 600;
    private ulong lastId = 1_400_000_000_000_000_000;

    /// <param name="isGerman">Whether Gmail's own folders have German names.</param>
    public GmailAccount(bool isGerman = false)
    {
        Root = "[Gmail]";
        AddFolder("INBOX", "\\Inbox", "\\HasNoChildren");
        AddFolder(AllMail = Root + (isGerman ? "/Alle Nachrichten" : "/All Mail"), null, "\\HasNoChildren \\All", m => m.Place == GmailPlace.All);
        AddFolder(Trash = Root + (isGerman ? "/Papierkorb" : "/Trash"), null, "\\HasNoChildren \\Trash", m => m.Place == GmailPlace.Trash);
        AddFolder(Spam = Root + "/Spam", null, "\\HasNoChildren \\Junk", m => m.Place == GmailPlace.Spam);
        AddFolder(Root + (isGerman ? "/Gesendet" : "/Sent Mail"), "\\Sent", "\\HasNoChildren \\Sent");
        AddFolder(Root + (isGerman ? "/Entw&APw-rfe" : "/Drafts"), "\\Draft", "\\HasNoChildren \\Drafts");
        AddFolder(
            Root + (isGerman ? "/Markiert" : "/Starred"), "\\Starred", "\\HasNoChildren \\Flagged",
            m => m.Place == GmailPlace.All && m.Flags.Contains("\\Flagged"));
    }

    public string Root { get; }

    public string AllMail { get; }

    public string Trash { get; }

    public string Spam { get; }

    public IReadOnlyList<GmailMessage> Messages => messages;

    public IEnumerable<GmailFolder> Folders => folders.Values;

    public GmailFolder? Find(string name) => folders.GetValueOrDefault(name);

    public void AddLabel(string name) => AddFolder(name, name, "\\HasNoChildren");

    public void DeleteLabel(string name)
    {
        folders.Remove(name);
        Change(() => messages.ForEach(m => m.Labels.Remove(name)));
    }

    public GmailMessage Deliver(string octets, params string[] labels)
    {
        var message = new GmailMessage(++lastId, octets, DateTimeOffset.UnixEpoch.AddDays(messages.Count + 15000));
        messages.Add(message);
        Change(() => message.Labels.UnionWith(labels));
        return message;
    }

    /// <summary>Applies a change to messages and then updates the folders. All changes must go through this method.</summary>
    public void Change(Action change)
    {
        change();
        foreach (var label in messages.SelectMany(m => m.Labels).Where(l => l[0] != '\\' && !folders.ContainsKey(l)).ToList())
            AddLabel(label);
        foreach (var folder in folders.Values)
            folder.Refresh(messages);
    }

    /// <summary>
    /// Appends a message. An identical one that exists gets the folder's label instead, and a UID is used up. A message appended with
    /// \Deleted gets no label, so it is only in All Mail.
    /// </summary>
    /// <returns>The UID reported to the client. A message with this UID need not exist.</returns>
    public uint Append(GmailFolder folder, string octets, IReadOnlyCollection<string> flags, DateTimeOffset date)
    {
        var uid = folder.UidNext;
        var known = messages.Find(m => m.Octets == octets && m.Place == GmailPlace.All && folder.Name != Trash && folder.Name != Spam);
        if (known is not null)
            folder.UidNext++;
        var message = known ?? new GmailMessage(++lastId, octets, date);
        if (known is null)
        {
            messages.Add(message);
            message.Flags.UnionWith(flags);
            message.Place = folder.Name == Trash ? GmailPlace.Trash : folder.Name == Spam ? GmailPlace.Spam : GmailPlace.All;
        }

        Change(() =>
        {
            if (folder.Label is { } label && !message.Flags.Remove("\\Deleted"))
                message.Labels.Add(label);
        });
        return uid;
    }

    /// <summary>
    /// Expunges a message. This removes the folder's label, deletes the message in trash and spam, and does nothing in All Mail.
    /// </summary>
    public void Expunge(GmailFolder folder, GmailMessage message) => Change(() =>
    {
        message.Flags.Remove("\\Deleted");
        if (folder.Label is { } label)
            message.Labels.Remove(label);
        else if (folder.Name != AllMail)
            messages.Remove(message);
    });

    /// <summary>
    /// Copies a message. A copy to trash or spam takes it out of All Mail and removes its labels. A copy to another folder adds that
    /// folder's label.
    /// </summary>
    public void Copy(GmailFolder to, GmailMessage message) => Change(() =>
    {
        message.Place = to.Name == Trash ? GmailPlace.Trash : to.Name == Spam ? GmailPlace.Spam : GmailPlace.All;
        if (message.Place != GmailPlace.All)
            message.Labels.Clear();
        else if (to.Label is { } label)
            message.Labels.Add(label);
    });

    private void AddFolder(string name, string? label, string attributes, Func<GmailMessage, bool>? holds = null) =>
        folders.Add(name, new GmailFolder(name, label, attributes, ++validity, holds ?? (m => m.Place == GmailPlace.All && m.Labels.Contains(label!))));
}
