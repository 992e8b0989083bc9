namespace Imapsync.Tests.Support.Gmail;

/// <summary>Where a message of the account lies: in all mail, or outside of it.</summary>
public enum GmailPlace
{
    All,
    Trash,
    Spam,
}

/// <summary>The one copy of a message.</summary>
public sealed class GmailMessage(ulong id, string octets, DateTimeOffset date)
{
    /// <summary>X-GM-MSGID.</summary>
    public ulong Id => id;

    /// <summary>One character an octet.</summary>
    public string Octets => octets;

    public DateTimeOffset Date => date;

    public GmailPlace Place { get; set; }

    public HashSet<string> Flags { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>As on the wire: Gmail's own with a backslash.</summary>
    public HashSet<string> Labels { get; } = new(StringComparer.OrdinalIgnoreCase);
}

/// <summary>A folder is a question put to all messages; who comes in gets the next UID.</summary>
/// <param name="Name">As on the wire.</param>
/// <param name="Label">Its messages' label; null for all mail, trash and spam.</param>
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
