using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Commands;

/// <summary>GETACL (RFC 4314 §3.3).</summary>
internal sealed class GetAclCommand(string wireName) : ImapCommand
{
    private const int MaxEntries = 10_000;

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
        for (var identifier = response.Arguments.Next(); identifier.IsString && Entries.Count < MaxEntries; identifier = response.Arguments.Next())
        {
            var rights = response.Arguments.Next();
            if (rights.IsString)
                Entries.Add(new AclEntry(identifier.ToLatin1(), rights.ToLatin1()));
        }

        return true;
    }
}
