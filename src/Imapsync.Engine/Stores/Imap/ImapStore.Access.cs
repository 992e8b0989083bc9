using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

public sealed partial class ImapStore : IAccessControl
{
    private bool hasAcl;

    /// <summary>
    /// The letters for access rights that the server supports beyond the common ones (RFC 4314, RIGHTS=); null if it implements only RFC
    /// 2086.
    /// </summary>
    private string? knownRights;

    public IAccessControl? AccessControl => hasAcl ? this : null;

    public string Owner => endpoint.AuthorizeAs ?? endpoint.User;

    async Task<IReadOnlyList<AccessEntry>> IAccessControl.ListAsync(FolderPath path, CancellationToken cancellationToken)
    {
        var wire = await WireNameAsync(path, cancellationToken);
        var entries = await RunAsync(c => c.GetAclAsync(wire, cancellationToken), FailureScope.Folder, $"the access rights of {path}", cancellationToken);
        return [.. entries.Select(e => new AccessEntry(Text(e.Identifier), AclRights.Read(e.Rights, knownRights is not null)))];
    }

    async Task<string> IAccessControl.AddAsync(FolderPath path, AccessEntry entry, CancellationToken cancellationToken)
    {
        var (letters, lost) = AclRights.Write(entry.Rights, knownRights);
        if (letters.Length == 0)
            return lost;
        var wire = await WireNameAsync(path, cancellationToken);
        // Identifiers are UTF-8 (RFC 4314 §3); the wire takes one character for each octet, hence Latin-1.
        var identifier = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(entry.Identifier));
        await RunAsync(
            c => Done(c.SetAclAsync(wire, identifier, "+" + letters, cancellationToken)),
            FailureScope.Folder,
            $"the rights {letters} of {entry.Identifier} on {path}",
            cancellationToken);
        return lost;
    }

    private static string Text(string octets) => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(octets));

    private void LearnAcl(ImapCapabilities offered)
    {
        hasAcl = offered.HasAcl;
        knownRights = offered.Rights;
    }
}
