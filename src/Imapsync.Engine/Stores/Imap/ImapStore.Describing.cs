using System.Globalization;
using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

public sealed partial class ImapStore
{
    private static readonly string[] IdFields = ["name", "version", "vendor"];

    /// <summary>The capabilities that most affect how a job works and how fast it is.</summary>
    private static readonly string[] Telling =
    [
        "ACL", "COMPRESS=DEFLATE", "CONDSTORE", "IDLE", "LIST-STATUS", "LITERAL+", "LITERAL-", "MOVE", "MULTIAPPEND", "NOTIFY", "OBJECTID", "QUOTA", "SPECIAL-USE", "UIDPLUS",
        "X-GM-EXT-1",
    ];

    public Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken) => RunAsync<IReadOnlyList<StoreFact>>(
        async c =>
        {
            var facts = new List<StoreFact>();
            // ID is sent here because runs send it, too. Some servers behave differently after ID, and this description should show what a
            // run will see.
            var id = c.Capabilities.HasId ? await c.IdAsync(cancellationToken) : null;
            var server = string.Join(' ', IdFields.Select(k => id?.GetValueOrDefault(k)).Where(v => v is not null));
            facts.Add(server.Length > 0 ? new StoreFact("Server", server) : new StoreFact("Greeting", c.Greeting));

            facts.Add(new StoreFact("Transport", endpoint.Tls switch
            {
                TlsMode.Implicit => "TLS",
                TlsMode.StartTls => "STARTTLS",
                _ => "clear text",
            }, IsWarning: endpoint.Tls == TlsMode.None));
            facts.Add(new StoreFact("Signed in", c.SignedInBy switch
            {
                null => "by the tunnel (PREAUTH)",
                "" => "by LOGIN",
                var mechanism => $"by {mechanism}",
            }));
            facts.Add(new StoreFact("Capabilities", c.Capabilities.ToString()) { Brief = string.Join(' ', Telling.Where(c.Capabilities.Has)) is { Length: > 0 } telling ? telling : null });
            facts.Add(new StoreFact("Flag changes", c.Capabilities.HasCondStore ? "by MODSEQ" : "by listing all flags"));
            if (c.Capabilities.AppendLimit is { } limit)
                facts.Add(new StoreFact("Largest message", $"{limit} octets"));
            if (c.Capabilities.HasQuota)
                await AddQuotaAsync(c, facts, cancellationToken);
            facts.Add(new StoreFact("Connections", $"{endpoint.Connections}"));
            return facts;
        },
        FailureScope.Store,
        "the server can't be asked",
        cancellationToken);

    private static async Task AddQuotaAsync(ImapClient client, List<StoreFact> facts, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var quota in (await client.QuotaAsync("INBOX", cancellationToken)).Where(q => q.Limit > 0))
            {
                var unit = quota.Name == "STORAGE" ? " KiB" : "";
                var share = 100.0 * quota.Usage / quota.Limit;
                facts.Add(new StoreFact(
                    $"Quota {quota.Name}", string.Create(CultureInfo.InvariantCulture, $"{quota.Usage} of {quota.Limit}{unit} used ({share:0}%)"), IsWarning: share >= 90)
                {
                    Free = quota.Name switch { "STORAGE" => (quota.Limit - quota.Usage) * 1024, "MESSAGE" => quota.Limit - quota.Usage, _ => null },
                    Unit = quota.Name == "MESSAGE" ? StoreUnit.Messages : StoreUnit.Octets,
                });
            }
        }
        catch (ImapCommandException e)
        {
            facts.Add(new StoreFact("Quota", $"not told: {e.Reply}"));
        }
    }
}
