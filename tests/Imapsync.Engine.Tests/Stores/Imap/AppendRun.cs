using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <summary>Appends messages as a job does: it retries a bounded number of times and reopens a lost folder.</summary>
internal sealed class AppendRun : IAsyncDisposable
{
    public static ImapEndpoint Endpoint { get; } = new("imap.example.com", 143, TlsMode.None, "alice") { Password = new FixedSecret(), Connections = 1 };

    private readonly ITargetStore store;
    private readonly AppendServer server;

    private AppendRun(AppendServer server, ITargetStore store, ConcurrentQueue<string> notes) => (this.server, this.store, Notes) = (server, store, notes);

    public ITargetStore Store => store;

    public ConcurrentQueue<string> Notes { get; }

    /// <summary>The final receipt of each message by its UID. The messages have the UIDs 1, 2, 3 ... in the given order.</summary>
    public SortedDictionary<uint, AppendReceipt> Receipts { get; } = [];

    public static async Task<AppendRun> OpenAsync(AppendServer server, bool repair = false)
    {
        var notes = new ConcurrentQueue<string>();
        var context = new StoreContext(new ManualClock(), notes.Enqueue) { Repair = repair };
        return new AppendRun(server, await ImapStore.OpenAsync(Endpoint, context, server.DialAsync, TestContext.Current.CancellationToken), notes);
    }

    public async Task CopyAsync(params (string Flags, string Body)[] messages)
    {
        var left = messages.Select((m, i) => (Uid: new Uid((uint)i + 1), m.Flags, m.Body)).ToList();
        for (var attempt = 1; left.Count > 0; attempt++)
        {
            Assert.True(attempt <= 12, $"still not settled: {string.Join(", ", left)}");
            try
            {
                await using var folder = await store.OpenForWritingAsync(FolderPath.Inbox, TestContext.Current.CancellationToken);
                await CopyAsync(folder, left);
            }
            catch (MailException e) when (e.IsTransient)
            {
                // The folder is reopened; messages that the server already has are recognised and not sent again.
                foreach (var there in server.Messages)
                {
                    foreach (var m in left.Where(m => m.Body == there.Body))
                        Receipts[m.Uid.Value] = new AppendReceipt(m.Uid, new Uid(there.Uid));
                    left.RemoveAll(m => m.Body == there.Body);
                }
            }
        }
    }

    public async ValueTask DisposeAsync() => await store.DisposeAsync();

    public static IAsyncEnumerable<IncomingMessage> Window(params (string Flags, string Body)[] messages) =>
        Window(new Queue<(Uid, string, string)>(messages.Select((m, i) => (new Uid((uint)i + 1), m.Flags, m.Body))));

    private async Task CopyAsync(IWritableFolder folder, List<(Uid Uid, string Flags, string Body)> left)
    {
        for (var attempt = 1; attempt <= 6 && left.Count > 0; attempt++)
        {
            var waiting = new Queue<(Uid Uid, string Flags, string Body)>(left);
            while (waiting.Count > 0)
            {
                foreach (var receipt in await folder.AppendAsync(Window(waiting), TestContext.Current.CancellationToken))
                {
                    Receipts[receipt.Source.Value] = receipt;
                    if (receipt.Failure is not { IsTransient: true })
                        left.RemoveAll(m => m.Uid == receipt.Source);
                }
            }
        }
    }

    private static async IAsyncEnumerable<IncomingMessage> Window(Queue<(Uid Uid, string Flags, string Body)> waiting)
    {
        while (waiting.TryDequeue(out var m))
        {
            await Task.Yield();
            var flags = FlagSet.Parse(m.Flags.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            var octets = Encoding.Latin1.GetBytes(m.Body);
            yield return new IncomingMessage(
                new MessageInfo(m.Uid, flags, new DateTimeOffset(2025, 2, 1, 10, 0, 0, TimeSpan.Zero), octets.Length),
                octets.Length, PipeReader.Create(new ReadOnlySequence<byte>(octets)));
        }
    }

    private sealed class FixedSecret : SecretReference
    {
        public override ValueTask<Secret> ReadAsync(CancellationToken cancellationToken) => ValueTask.FromResult(new Secret("pass"));

        public override string ToString() => "the test";
    }
}
