namespace Imapsync.Engine.Mail;

/// <summary>Who may do what with a store's folders. Rights are the letters of RFC 4314 §2.1, whatever the store itself uses.</summary>
public interface IAccessControl
{
    /// <summary>The identifier of the mailbox's owner, whose rights are left alone.</summary>
    string Owner { get; }

    /// <summary>All entries of a folder; an identifier with <c>-</c> in front is denied these rights. Refused without the right <c>a</c>.</summary>
    Task<IReadOnlyList<AccessEntry>> ListAsync(FolderPath path, CancellationToken cancellationToken);

    /// <summary>Adds rights to those that an identifier has. Returns the letters that the store has no way to give; none of those is given.</summary>
    Task<string> AddAsync(FolderPath path, AccessEntry entry, CancellationToken cancellationToken);
}

public readonly record struct AccessEntry(string Identifier, string Rights);
