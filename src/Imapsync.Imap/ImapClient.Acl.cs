using Imapsync.Imap.Commands;

namespace Imapsync.Imap;

/// <summary>Access control lists (RFC 4314), only where ACL is offered.</summary>
public sealed partial class ImapClient
{
    public async Task<IReadOnlyList<AclEntry>> GetAclAsync(string wireName, CancellationToken cancellationToken)
    {
        var command = new GetAclCommand(wireName);
        await connection.ExecuteAsync(command, cancellationToken);
        return command.Entries;
    }

    /// <param name="rights">Letters as the server has them; behind a <c>+</c> they are added to those that are there.</param>
    public async Task SetAclAsync(string wireName, string identifier, string rights, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new SetAclCommand(wireName, identifier, rights), cancellationToken);

    /// <summary>Letters as the server has them; empty when it answered OK and told nothing.</summary>
    public async Task<string> MyRightsAsync(string wireName, CancellationToken cancellationToken)
    {
        var command = new MyRightsCommand(wireName);
        await connection.ExecuteAsync(command, cancellationToken);
        return command.Rights;
    }
}
