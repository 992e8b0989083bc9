using Imapsync.Bench.Contenders;
using Imapsync.Tests.Support;

namespace Imapsync.Bench;

/// <summary>The servers, lines and directories of one case. All of it is in memory where the machine has /dev/shm.</summary>
internal sealed class BenchLab(BenchOptions options) : IAsyncDisposable
{
    /// <summary>A server that is in nobody's way: many processes, clear passwords.</summary>
    private static readonly DovecotOptions Plain = new() { Password = "pass", Extra = "default_process_limit = 600\ndefault_client_limit = 3000\n" };

    private readonly List<IAsyncDisposable> parts = [];
    private readonly TempDir dir = new();

    public BenchOptions Options => options;

    public string this[string name] => dir[name];

    public ImapsyncContender Imapsync(int? parallel = null) => new(options.Program, dir.Path, parallel);

    public MbsyncContender Mbsync(bool isDurable = false, int parallel = 1) => new(dir.Path, isDurable, parallel);

    public MailKitContender MailKit(bool isBatched = true) => new(dir.Path, isBatched);

    /// <summary>Serves a generated mailbox as every user's.</summary>
    public async Task<ImapPlace> ServeAsync(Mailbox mailbox, string plugins = "")
    {
        var server = await DovecotServer.StartAsync(dir["source-server"], Plain with { Maildir = mailbox.Directory, Plugins = plugins });
        parts.Add(server);
        await server.TakeOwnershipAsync(mailbox.Directory);
        return new ImapPlace(server, "alice", server.Port);
    }

    /// <summary>A server whose users have a mailbox each, empty until somebody fills it.</summary>
    /// <param name="capability">What it announces; null for all it can do.</param>
    public async Task<DovecotServer> StartAsync(string name, string? capability = null)
    {
        var server = await DovecotServer.StartAsync(dir[name], Plain with { Capability = capability });
        parts.Add(server);
        return server;
    }

    /// <summary>A line before a server.</summary>
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
