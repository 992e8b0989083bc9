using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>GETACL (RFC 4314 §3.3); requires that the server offers ACL.</summary>
    public async Task<IReadOnlyList<AclEntry>> GetAclAsync(string wireName, CancellationToken cancellationToken)
    {
        var command = new GetAclCommand(wireName, options.Limits);
        await connection.ExecuteAsync(command, cancellationToken);
        return command.Entries;
    }

    /// <summary>SETACL (RFC 4314 §3.1); requires that the server offers ACL.</summary>
    /// <param name="rights">
    /// The server's letters for the rights. With a leading <c>+</c> they are added to the existing rights, otherwise they replace them.
    /// </param>
    public async Task SetAclAsync(string wireName, string identifier, string rights, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new PlainCommand("SETACL", strings: [wireName, identifier, rights]), cancellationToken);
}

/// <summary>One entry of an access control list: an identifier (a user or a group) and its rights.</summary>
/// <param name="Rights">The server's letters for the rights (RFC 4314 §2.1, or RFC 2086).</param>
/// <param name="Identifier">UTF-8 with one character for each octet. A leading <c>-</c> denies the rights.</param>
public readonly record struct AclEntry(string Identifier, string Rights);

/// <summary>GETACL (RFC 4314 §3.3).</summary>
internal sealed class GetAclCommand(string wireName, ImapLimits limits) : ImapCommand
{
    public override string Name => "GETACL";

    public List<AclEntry> Entries { get; } = [];

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("GETACL ");
        await writer.StringAsync(wireName);
    }

    public override bool OnUntagged(ref ImapResponse response)
    {
        if (!response.Is("ACL"u8) || !response.Arguments.Next().IsString)
            return false;
        for (var identifier = response.Arguments.Next(); identifier.IsString && Entries.Count < limits.MaxAclEntries; identifier = response.Arguments.Next())
        {
            var rights = response.Arguments.Next();
            if (rights.IsString)
                Entries.Add(new AclEntry(identifier.ToLatin1(), rights.ToLatin1()));
        }

        return true;
    }
}
