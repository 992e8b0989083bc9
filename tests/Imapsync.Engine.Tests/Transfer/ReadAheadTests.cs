using System.Buffers;
using System.Collections.Immutable;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Transfer;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Transfer;

public sealed class ReadAheadTests : IAsyncDisposable
{
    private const int Count = 400;

    private readonly ManualClock time = new();
    private readonly ReaderBudget spare = new();
    private readonly CancellationTokenSource stop = new();
    private readonly Folder first = new();
    private readonly Folder second = new();
    private readonly List<uint> taken = [];
    private Func<Task<IMessageFolder>> open;
    private int opened;

    public ReadAheadTests()
    {
        open = () => Task.FromResult<IMessageFolder>(second);
        spare.Add(1);
    }

    private static CancellationToken Abort => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync()
    {
        stop.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task After_a_second_of_waiting_another_reader_helps_and_the_order_stays()
    {
        // The first reader is blocked until the second one has read a message, so the test can end only if both take part.
        second.OnRead = _ => first.Released.TrySetResult();
        await using (var ahead = Begin())
        {
            await WaitOutASecondAsync(ahead);
            await TakeAllAsync(ahead);
            Assert.False(ahead.WasStopped);
        }

        Assert.Equal(Enumerable.Range(1, Count).Select(n => (uint)n), taken);
        Assert.Equal((1, true), (opened, second.WasDisposed));
        Assert.NotEmpty(second.Read);
        Assert.Empty(first.Read.Intersect(second.Read));
    }

    [Fact]
    public async Task Nobody_is_asked_to_help_before()
    {
        first.Released.SetResult();
        await using var ahead = Begin();

        await TakeAllAsync(ahead);
        Assert.Equal((Count, 0), (taken.Count, opened));
    }

    [Fact]
    public async Task Nobody_is_asked_to_help_where_no_connection_is_to_spare()
    {
        Assert.True(spare.TryTake());
        await using var ahead = Begin();
        await WaitOutASecondAsync(ahead);
        first.Released.SetResult();

        await TakeAllAsync(ahead);
        Assert.Equal((Count, 0), (taken.Count, opened));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reader_that_can_not_be_had_or_has_another_generation_of_the_folder_is_done_without(bool isRefused)
    {
        second.Status = new FolderStatus(new UidValidity(2), new Uid(Count + 1), Count);
        open = () =>
        {
            first.Released.SetResult();
            return isRefused
                ? throw new MailException(FailureScope.Store, isTransient: true, "too many connections")
                : Task.FromResult<IMessageFolder>(second);
        };
        await using (var ahead = Begin())
        {
            await WaitOutASecondAsync(ahead);
            await TakeAllAsync(ahead);
        }

        Assert.Equal((Count, 1), (taken.Count, opened));
        Assert.Empty(second.Read);
        Assert.Equal(!isRefused, second.WasDisposed);
    }

    [Fact]
    public async Task What_fails_comes_out_after_all_that_lies_before_it()
    {
        uint lost = 0;
        second.OnRead = uid =>
        {
            lost = uid;
            first.Released.TrySetResult();
            throw new MailException(FailureScope.Folder, isTransient: true, "connection lost");
        };
        await using var ahead = Begin();
        await WaitOutASecondAsync(ahead);

        var e = await Assert.ThrowsAsync<MailException>(() => TakeAllAsync(ahead));
        Assert.Equal("connection lost", e.Message);
        Assert.Equal(Enumerable.Range(1, (int)lost - 1).Select(n => (uint)n), taken);
        await Assert.ThrowsAsync<MailException>(async () => await ahead.WaitToReadAsync(Abort));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(25)]
    [InlineData(60)]
    [InlineData(Count - 1)]
    [InlineData(Count)]
    public async Task Once_stopped_it_hands_out_what_was_read_and_ends(int last)
    {
        first.OnRead = uid =>
        {
            if (uid == last)
                stop.Cancel();
        };
        first.Released.SetResult();
        await using var ahead = Begin();

        await TakeAllAsync(ahead);
        // A stop at the last message comes when nothing is left to read, so no reading was stopped.
        Assert.Equal((last, last < Count), (taken.Count, ahead.WasStopped));
    }

    [Fact]
    public async Task It_can_be_left_at_any_time()
    {
        var ahead = Begin();
        await WaitOutASecondAsync(ahead);

        await ahead.DisposeAsync();
        Assert.True(first.HasEnded);
        // The spare connection that the second reader used is free again.
        Assert.True(spare.TryTake());
    }

    private ReadAhead Begin() => new(
        first,
        _ =>
        {
            opened++;
            return open();
        },
        spare,
        [.. Enumerable.Range(1, Count).Select(n => new MessageInfo(new Uid((uint)n), FlagSet.Empty, default, 4))],
        time,
        stop.Token);

    /// <summary>Waits for the first message, which comes after 1.5 seconds. The next ones wait for <see cref="Folder.Released"/>.</summary>
    private async Task WaitOutASecondAsync(ReadAhead ahead)
    {
        var waiting = ahead.WaitToReadAsync(Abort).AsTask();
        time.Advance(TimeSpan.FromSeconds(1.5));
        first.FirstMayCome.SetResult();
        Assert.True(await waiting);
    }

    private async Task TakeAllAsync(ReadAhead ahead)
    {
        first.FirstMayCome.TrySetResult();
        while (await ahead.WaitToReadAsync(Abort))
        {
            var message = ahead.Peek()!;
            ahead.Take();
            taken.Add(message.Message.Uid.Value);
            message.Dispose();
        }
    }

    private sealed class Folder : IMessageFolder
    {
        public TaskCompletionSource FirstMayCome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Released { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Action<uint> OnRead { get; set; } = _ => { };

        public List<uint> Read { get; } = [];

        public bool WasDisposed { get; private set; }

        public bool HasEnded { get; private set; }

        public FolderPath Path => FolderPath.Inbox;

        public IReadOnlyDictionary<Uid, Uid> Predecessors => ImmutableDictionary<Uid, Uid>.Empty;

        public UidValidity LastingUidValidity => Status.UidValidity;

        public FolderStatus Status { get; set; } = new(new UidValidity(1), new Uid(Count + 1), Count);

        public IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<int> RemoveCopiedAsync(UidSet uids, CancellationToken cancellationToken) => throw new NotSupportedException("nothing is removed from this source");

        public IAsyncEnumerable<MessageHeader> ReadHeadersAsync(UidSet uids, CancellationToken cancellationToken) => throw new NotSupportedException();

        public async IAsyncEnumerable<IncomingMessage> ReadAsync(
            IEnumerable<MessageInfo> messages, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            try
            {
                foreach (var message in messages)
                {
                    await Task.Yield();
                    if (message.Uid == new Uid(1))
                        await FirstMayCome.Task.WaitAsync(cancellationToken);
                    else if (FirstMayCome.Task.IsCompleted)
                        await Released.Task.WaitAsync(cancellationToken);
                    OnRead(message.Uid.Value);
                    Read.Add(message.Uid.Value);
                    yield return new IncomingMessage(message, 4, PipeReader.Create(new ReadOnlySequence<byte>("mail"u8.ToArray())));
                }
            }
            finally
            {
                HasEnded = true;
            }
        }

        public ValueTask DisposeAsync()
        {
            WasDisposed = true;
            return ValueTask.CompletedTask;
        }
    }
}
