namespace Imapsync.Tests.Support.Gmail;

/// <summary>Where a message of the account is stored: in All Mail, or in trash or spam.</summary>
public enum GmailPlace
{
    All,
    Trash,
    Spam,
}

/// <summary>A message, of which the account keeps only one copy.</summary>
public sealed class GmailMessage(ulong id, string octets, DateTimeOffset date)
{
    /// <summary>The message's X-GM-MSGID.</summary>
    public ulong Id => id;

    /// <summary>The message's octets, one character for each octet.</summary>
    public string Octets => octets;

    public DateTimeOffset Date => date;

    public GmailPlace Place { get; set; }

    public HashSet<string> Flags { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The labels in wire form; Gmail's own begin with a backslash.</summary>
    public HashSet<string> Labels { get; } = new(StringComparer.OrdinalIgnoreCase);
}

/// <summary>A folder, which is a filter over all messages. A message that begins to match gets the next UID.</summary>
/// <param name="Name">The folder's name in wire form.</param>
/// <param name="Label">The label of the folder's messages; null for All Mail, trash and spam.</param>
public sealed record GmailFolder(string Name, string? Label, string Attributes, uint UidValidity, Func<GmailMessage, bool> Holds)
{
    public SortedDictionary<uint, GmailMessage> Messages { get; } = [];

    public uint UidNext { get; set; } = 1;

    public void Refresh(IEnumerable<GmailMessage> account)
    {
        var held = account.Where(Holds).ToHashSet(ReferenceEqualityComparer.Instance);
        foreach (var (uid, _) in Messages.Where(m => !held.Remove(m.Value)).ToList())
            Messages.Remove(uid);
        foreach (var message in account.Where(held.Contains))
            Messages.Add(UidNext++, message);
    }
}
