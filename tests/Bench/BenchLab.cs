using Imapsync.Bench.Contenders;
using Imapsync.Tests.Support;

namespace Imapsync.Bench;

/// <summary>The servers, proxies and directories of one case, all of them in memory if the machine has /dev/shm.</summary>
internal sealed class BenchLab(BenchOptions options) : IAsyncDisposable
{
    /// <summary>The configuration of a server that does not limit the measurement: many processes, plain passwords.</summary>
    private static readonly DovecotOptions Plain = new() { Password = "pass", Extra = "default_process_limit = 600\ndefault_client_limit = 3000\n" };

    private readonly List<IAsyncDisposable> parts = [];
    private readonly TempDir dir = new();

    public BenchOptions Options => options;

    public string this[string name] => dir[name];

    public ImapsyncContender Imapsync(int? parallel = null) => new(options.Program, dir.Path, parallel);

    public MbsyncContender Mbsync(bool isDurable = false, int parallel = 1, bool eachAlone = false) => new(dir.Path, isDurable, parallel, eachAlone);

    public MailKitContender MailKit(bool isBatched = true) => new(dir.Path, isBatched);

    /// <summary>Starts a server that shows one generated mailbox to every user.</summary>
    public async Task<ImapPlace> ServeAsync(Mailbox mailbox, string plugins = "")
    {
        var server = await DovecotServer.StartAsync(dir["source-server"], Plain with { Maildir = mailbox.Directory, Plugins = plugins });
        parts.Add(server);
        await server.TakeOwnershipAsync(mailbox.Directory);
        return new ImapPlace(server, "alice", server.Port);
    }

    /// <summary>Starts a server on which each user has a mailbox that is initially empty.</summary>
    /// <param name="capability">The capabilities to announce; null for all that the server supports.</param>
    public async Task<DovecotServer> StartAsync(string name, string? capability = null)
    {
        var server = await DovecotServer.StartAsync(dir[name], Plain with { Capability = capability });
        parts.Add(server);
        return server;
    }

    /// <summary>Starts a proxy in front of a server.</summary>
    public FaultProxy LineTo(int port, FaultRules? rules = null)
    {
        var line = FaultProxy.Start(port, rules);
        parts.Add(line);
        return line;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(parts))
            await part.DisposeAsync();
        dir.Dispose();
    }
}
