namespace Imapsync.Engine.Mail;

/// <summary>
/// The access rights to a store's folders. Rights are given as the letters of RFC 4314 §2.1, whatever the store itself uses.
/// </summary>
public interface IAccessControl
{
    /// <summary>The identifier of the mailbox's owner, whose rights are never changed.</summary>
    string Owner { get; }

    /// <summary>
    /// Lists all entries of a folder. An entry whose identifier begins with <c>-</c> takes the rights away from that identifier. A server
    /// refuses the list to users without the right <c>a</c>.
    /// </summary>
    Task<IReadOnlyList<AccessEntry>> ListAsync(FolderPath path, CancellationToken cancellationToken);

    /// <summary>
    /// Adds rights to those that an identifier has. Returns the letters that the store can't grant; none of these is granted.
    /// </summary>
    Task<string> AddAsync(FolderPath path, AccessEntry entry, CancellationToken cancellationToken);
}

public readonly record struct AccessEntry(string Identifier, string Rights);
