using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <param name="use">A special-use attribute such as <c>\Sent</c>, or null. Requires that the server offers CREATE-SPECIAL-USE.</param>
    public async Task CreateAsync(string wireName, string? use, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new CreateCommand(wireName, use), cancellationToken);
}

/// <summary>CREATE (RFC 9051 §6.3.4), with USE (RFC 6154 §3) if an attribute is given.</summary>
/// <param name="use">A special-use attribute such as <c>\Sent</c>, or null.</param>
internal sealed class CreateCommand(string wireName, string? use) : ImapCommand
{
    public override string Name => "CREATE";

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("CREATE ");
        if (await writer.StringAsync(wireName) && use is not null)
            writer.Text($" (USE ({use}))");
    }
}
