using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>GETQUOTAROOT (RFC 9208 §4.1.2).</summary>
    public async Task<IReadOnlyList<QuotaResource>> QuotaAsync(string wireName, CancellationToken cancellationToken)
    {
        var command = new QuotaCommand(wireName, options.Limits);
        await connection.ExecuteAsync(command, cancellationToken);
        return command.Resources;
    }
}

/// <param name="Name">The resource, e.g. STORAGE (in units of 1024 octets) or MESSAGE.</param>
public sealed record QuotaResource(string Root, string Name, long Usage, long Limit);

/// <summary>GETQUOTAROOT (RFC 9208 §4.1.2).</summary>
internal sealed class QuotaCommand(string wireName, ImapLimits limits) : ImapCommand
{
    public override string Name => "GETQUOTAROOT";

    public List<QuotaResource> Resources { get; } = [];

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("GETQUOTAROOT ");
        await writer.StringAsync(wireName);
    }

    public override bool OnUntagged(ref ImapResponse response)
    {
        if (response.Is("QUOTAROOT"u8))
            return true;
        if (!response.Is("QUOTA"u8))
            return false;
        var root = response.Arguments.Next();
        if (!root.IsString || response.Arguments.Next().Kind != TokenKind.Open)
            return true;
        var rootName = root.ToText();
        for (var name = response.Arguments.Next(); name.IsString && Resources.Count < limits.MaxShortList; name = response.Arguments.Next())
        {
            var hasUsage = WireNumber.TryParse(response.Arguments.Next().Raw, out long usage);
            var hasLimit = WireNumber.TryParse(response.Arguments.Next().Raw, out long limit);
            if (hasUsage && hasLimit)
                Resources.Add(new QuotaResource(rootName, name.ToText().ToUpperInvariant(), usage, limit));
        }

        return true;
    }
}
