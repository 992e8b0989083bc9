using Imapsync.Imap.Client;
using Imapsync.Tests.Support;

namespace Imapsync.Imap.Tests.Connection;

/// <summary>A client and the scripted server it is connected to, after greeting and capabilities.</summary>
internal sealed record Session(ImapClient Client, ScriptedServer Server, ManualClock Clock, List<string> Trace) : IAsyncDisposable
{
    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<Session> OpenAsync(string capabilities = "IMAP4rev1", ImapLimits? limits = null, int segment = int.MaxValue, int buffered = 1 << 20, string host = "imap.example.com")
    {
        var (server, client) = ScriptedServer.InMemory(segment, buffered);
        var clock = new ManualClock();
        var trace = new List<string>();
        var options = Options(client) with { Host = host, Limits = limits ?? ImapLimits.Default, Time = clock, Trace = line => { lock (trace) trace.Add(line); } };
        var connecting = ImapClient.ConnectAsync(options, Token);
        await server.SendAsync($"* OK [CAPABILITY {capabilities}] ready\r\n", Token);
        return new Session(await connecting, server, clock, trace);
    }

    public static ImapClientOptions Options(Stream stream) =>
        new("imap.example.com", 143, ImapTls.None) { Dial = _ => ValueTask.FromResult(stream) };

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
    }
}
