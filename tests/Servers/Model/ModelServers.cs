using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Model;

/// <summary>A few Dovecots with different capabilities, shared by all rounds. Each round has its own accounts.</summary>
internal sealed class ModelServers : IAsyncDisposable
{
    private static readonly DovecotOptions[] Kinds =
    [
        new() { Plugins = "imap_zlib" },
        new() { Capability = "IMAP4rev1 SASL-IR LITERAL+ NAMESPACE LIST-EXTENDED LIST-STATUS SPECIAL-USE UIDPLUS" },
        new() { Capability = "IMAP4rev1 NAMESPACE CONDSTORE MULTIAPPEND" },
        new() { Capability = "IMAP4rev1" },
    ];

    private readonly List<DovecotServer> all = [];

    public TempDir Dir { get; } = new();

    public IReadOnlyList<DovecotServer> All => all;

    public static async Task<ModelServers> StartAsync()
    {
        var servers = new ModelServers();
        foreach (var kind in Kinds)
            servers.all.Add(await DovecotServer.StartAsync(servers.Dir[$"server{servers.all.Count}"], kind));
        return servers;
    }

    public DovecotServer Any(Random random) => all[random.Next(all.Count)];

    /// <summary>
    /// Whether a client can remove one message alone (UIDPLUS) or move it (MOVE). Otherwise it also expunges what other clients marked as
    /// deleted.
    /// </summary>
    public static bool CanRemove(DovecotServer server) => server.Options.Capability?.Contains("UIDPLUS", StringComparison.Ordinal) ?? true;

    public async ValueTask DisposeAsync()
    {
        foreach (var server in all)
            await server.DisposeAsync();
        Dir.Dispose();
    }
}
