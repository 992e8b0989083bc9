using System.Net;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Turns;
using Imapsync.Serving;

namespace Imapsync.Servers.Tests.Serving;

/// <summary>A backup that the test itself serves, in clear text on loopback.</summary>
internal sealed class ServedBackup : IAsyncDisposable
{
    public const string User = "alice";
    public const string Password = "correct horse battery";

    private readonly CancellationTokenSource stop = new();
    private readonly List<string> notes = [];
    private readonly List<(string Text, TaskCompletionSource Seen)> awaited = [];
    private readonly IMessageStore store;
    private readonly BackupServer server;
    private readonly Task running;

    private ServedBackup(IMessageStore store, ServingLimits limits)
    {
        this.store = store;
        server = new BackupServer(store, new IPEndPoint(IPAddress.Loopback, 0), new LogInGuard(User, Password, TimeProvider.System), null, limits, TimeProvider.System, Note);
        running = server.RunAsync(stop.Token);
    }

    public int Port => server.Address.Port;

    public string Notes
    {
        get
        {
            lock (notes)
                return string.Join('\n', notes);
        }
    }

    /// <param name="memory">The directory for UIDs that the backup itself does not store.</param>
    public static async Task<ServedBackup> StartAsync(Endpoint endpoint, string? memory = null, ServingLimits? limits = null)
    {
        var context = new StoreContext(TimeProvider.System, _ => { }) { MemoryDirectory = memory, MemoryIsReadOnly = false };
        var store = await StoreRegistry.OpenAsync(endpoint, context, CancellationToken.None);
        return new ServedBackup(memory is null ? store : StoreInTurns.Of(store, memory, TimeProvider.System), limits ?? ServingLimits.Default);
    }

    public Task<RawImap> ConnectAsync() => RawImap.ConnectAsync(Port, User, Password);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        await server.DisposeAsync();
        await store.DisposeAsync();
        stop.Dispose();
    }

    /// <summary>Completes when the server has logged this text.</summary>
    public Task NotedAsync(string text)
    {
        lock (notes)
        {
            if (notes.Exists(n => n.Contains(text, StringComparison.Ordinal)))
                return Task.CompletedTask;
            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            awaited.Add((text, seen));
            return seen.Task;
        }
    }

    private void Note(string text)
    {
        lock (notes)
        {
            notes.Add(text);
            foreach (var (_, seen) in awaited.FindAll(a => text.Contains(a.Text, StringComparison.Ordinal)))
                seen.TrySetResult();
        }
    }
}
