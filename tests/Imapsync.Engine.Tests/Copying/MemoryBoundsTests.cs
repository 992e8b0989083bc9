using System.Buffers;
using System.Collections.Immutable;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>The memory in octets per message that a run uses for a big folder. A million messages must fit into a small machine.</summary>
[Collection(nameof(MemoryBoundsTests))]
[CollectionDefinition(nameof(MemoryBoundsTests), DisableParallelization = true)]
public sealed class MemoryBoundsTests : IDisposable
{
    private const int Messages = 150_000;

    private readonly MailboxFixture box = new();
    private readonly CountedStore source = new() { Count = Messages };
    private readonly CountedStore target = new();

    public MemoryBoundsTests()
    {
        box.OpenSource = (_, _, _) => Task.FromResult<IMessageStore>(source);
        box.OpenTarget = (_, _, _, _) => Task.FromResult<ITargetStore>(target);
        box.Job = box.Job with { Flags = FlagPolicy.Follow, Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(50, IsPercent: true) };
        source.OnLook = target.OnLook = Look;
    }

    private long Peak { get; set; }

    private long Before { get; set; }

    public void Dispose() => box.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_message_costs_few_octets_whatever_a_run_does(bool hasModSeq)
    {
        source.HasModSeq = target.HasModSeq = hasModSeq;
        await MeasureAsync("the first copy", 100, Messages);
        await MeasureAsync("nothing new", 70, 0);
        source.Flagged = 1000;
        await MeasureAsync("flags", 70, 0);
        source.Gone = 1000;
        await MeasureAsync("deletions", 90, 0);
        Assert.Equal(Messages - 1000, target.Count - target.Removed);
    }

    [Fact]
    public async Task Each_message_has_a_keyword_of_its_own_and_memory_stays_small()
    {
        source.HasKeywords = true;
        Before = GC.GetTotalMemory(forceFullCollection: true);
        for (var run = 0; run < 2; run++)
        {
            var report = await box.RunAsync();
            Assert.Equal((JobOutcome.Incomplete, run == 0 ? Messages : 0), (report.Outcome, report.Totals.Copied));
            var problem = Assert.Single(report.Problems);
            Assert.True(problem.Reason == "flags" && problem.Text.EndsWith($": {Messages + 1 - MessageList.MaxFlagSets}", StringComparison.Ordinal), problem.Text);
        }

        Assert.True(Peak - Before < 120 << 20, $"{(Peak - Before) >> 20} MiB are held");
        Assert.Equal(Messages, target.Count);
    }

    [Fact]
    public void Notes_end_where_nobody_reads_on()
    {
        var told = 0;
        var report = new JobReporter("job", TimeProvider.System, _ => told++);
        for (var n = 0; n < 500_000; n++)
            report.Note(FolderPath.Inbox, $"the server does not keep k{n}");
        Assert.Equal(JobReporter.MaxNotes + 1, told);
        Assert.EndsWith("left out", report.Finish(JobOutcome.Ok, StopReason.None, isDryRun: false).Notes[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_listing_gives_back_what_was_put_in()
    {
        var seed = Imapsync.Tests.Support.Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 50; round++)
        {
            var (list, plain) = (new MessageList(), new List<MessageInfo>());
            for (var n = random.Next(6000); n > 0; n--)
            {
                var date = random.Next(5) == 0 ? default : new DateTimeOffset(random.NextInt64(1, 600_000_000) * TimeSpan.TicksPerSecond * 100, TimeSpan.FromMinutes(random.Next(-840, 840))).AddTicks(random.Next(1000));
                var size = random.Next(4) switch { 0 => -1, 1 => random.NextInt64(1L << 40), _ => random.Next() };
                var message = new MessageInfo(new Uid((uint)random.Next() * 2u), FlagSet.Create((MessageFlags)random.Next(32), random.Next(3) == 0 ? [$"k{random.Next(5)}"] : []), date, size);
                list.Add(message);
                plain.Add(message);
            }

            var what = $"seed {seed}, round {round}";
            Assert.True(plain.SequenceEqual(list) && plain.Count == list.Count, what);
            list.RemoveAll(m => m.Uid.Value % 3 == 0);
            plain.RemoveAll(m => m.Uid.Value % 3 == 0);
            Assert.True(plain.SequenceEqual(list), what);
            for (var i = 0; i < list.Count; i += 7)
                list[i] = plain[i] = plain[i] with { Size = i };
            list.Add(new MessageInfo(new Uid(5), FlagSet.Empty));
            plain.Add(new MessageInfo(new Uid(5), FlagSet.Empty));
            list.SortByUid();
            Assert.True(plain.Select(m => m.Uid).Order().SequenceEqual(list.Select(m => m.Uid)), what);
            Assert.True(plain.OrderBy(m => (m.Uid, m.InternalDate, m.Size)).SequenceEqual(list.OrderBy(m => (m.Uid, m.InternalDate, m.Size))), what);
        }
    }

    private async Task MeasureAsync(string what, int octets, int copied)
    {
        Before = Before == 0 ? GC.GetTotalMemory(forceFullCollection: true) : Before;
        Peak = 0;
        var report = await box.RunAsync();
        Assert.True(report.Outcome == JobOutcome.Ok && report.Totals.Copied == copied, $"{what}: {report.Totals} {string.Join('\n', report.Problems)}");
        var each = (Peak - Before) / (double)Messages;
        TestContext.Current.TestOutputHelper?.WriteLine($"{what}: {each:0.0} octets a message");
        Assert.True(each <= octets, $"{what}: {each:0.0} octets a message are held, at most {octets} may be");
    }

    private void Look() => Peak = Math.Max(Peak, GC.GetTotalMemory(forceFullCollection: true));

    /// <summary>An INBOX of a given number of messages, which are generated on request and never held in memory.</summary>
    private sealed class CountedStore : ITargetStore, IWritableFolder
    {
        private const int LookEvery = 25_000;
        private int asked;

        public int Count { get; set; }

        /// <summary>How many messages at the end of the folder have been deleted: with 3, the last three are gone.</summary>
        public int Gone { get; set; }

        public int Removed { get; private set; }

        /// <summary>How many messages at the beginning of the folder have a flag.</summary>
        public int Flagged { get; set; }

        public bool HasKeywords { get; set; }

        public bool HasModSeq { get; set; }

        public Action OnLook { get; set; } = () => { };

        public StoreTraits Traits => new("counted:", HasModSeq, 1);

        public FolderPath Path => FolderPath.Inbox;

        public Uid UidNext => new((uint)Count + 1);

        public IReadOnlyDictionary<Uid, Uid> Predecessors => ImmutableDictionary<Uid, Uid>.Empty;

        public UidValidity LastingUidValidity => Status.UidValidity;

        public IAccessControl? AccessControl => null;

        public FolderStatus Status => new(new UidValidity(7), UidNext, Count - Gone - Removed, null, HasModSeq ? new ModSeq((ulong)(1 + Count + Flagged + Gone)) : null);

        public Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<FolderEntry>>([new FolderEntry(FolderPath.Inbox, Status: Status)]);

        public Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken) => Task.FromResult(Status);

        public Task<UidCounters> GetUidCountersAsync(FolderPath path, CancellationToken cancellationToken) => Task.FromResult(new UidCounters(Status.UidValidity, UidNext));

        public Task<string?> WhyNeverAsync(FolderPath path, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

        public Task<bool> ExistsAsync(FolderPath path, CancellationToken cancellationToken) => Task.FromResult(path.IsInbox);

        public FolderPath ListedAs(FolderPath path) => path;

        public Task<IMessageFolder> OpenAgainAsync(FolderPath path, CancellationToken cancellationToken) => OpenAsync(path, cancellationToken);

        public Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken) => Task.FromResult<IMessageFolder>(this);

        public Task<IWritableFolder> OpenForWritingAsync(FolderPath path, CancellationToken cancellationToken) => Task.FromResult<IWritableFolder>(this);

        public Task CreateFolderAsync(FolderPath path, SpecialFolder special, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task RenameFolderAsync(FolderPath from, FolderPath to, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task SetSubscribedAsync(FolderPath path, bool subscribed, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task SetSubscribedAsync(IReadOnlyDictionary<FolderPath, bool> wanted, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task SetLabelsAsync(UidSet uids, bool add, IReadOnlyList<string> labels, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<StoreFact>>([]);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        public async IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.CompletedTask;
            for (var uid = 1u; uid <= Count - Gone; uid++)
            {
                LookNowAndThen();
                var isChanged = uid <= Flagged;
                if (request.Uids?.Contains(new Uid(uid)) == false || (request.ChangedSince is { } since && !isChanged && since.Value > (ulong)Count))
                    continue;
                var flags = isChanged ? FlagSet.Create(MessageFlags.Flagged) : HasKeywords ? FlagSet.Create(MessageFlags.None, [$"keyword{uid}"]) : FlagSet.Empty;
                yield return request.WithDateAndSize ? new MessageInfo(new Uid(uid), flags, MemoryFolderState.Day(3).AddSeconds(uid), Octets(uid).Length) : new MessageInfo(new Uid(uid), flags);
            }
        }

        public Task<int> RemoveCopiedAsync(UidSet uids, CancellationToken cancellationToken) => throw new NotSupportedException("nothing is removed from this source");

        public async IAsyncEnumerable<MessageHeader> ReadHeadersAsync(UidSet uids, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.CompletedTask;
            foreach (var uid in uids.Enumerate().Where(u => u.Value <= Count))
                yield return new MessageHeader(uid, Octets(uid.Value));
        }

        public async IAsyncEnumerable<IncomingMessage> ReadAsync(IEnumerable<MessageInfo> messages, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.CompletedTask;
            foreach (var message in messages)
            {
                LookNowAndThen();
                var octets = Octets(message.Uid.Value);
                yield return new IncomingMessage(message, octets.Length, PipeReader.Create(new ReadOnlySequence<byte>(octets)));
            }
        }

        public async Task<IReadOnlyList<AppendReceipt>> AppendAsync(IAsyncEnumerable<IncomingMessage> window, CancellationToken cancellationToken)
        {
            var receipts = new List<AppendReceipt>();
            await foreach (var message in window.WithCancellation(cancellationToken))
                receipts.Add(new AppendReceipt(message.Uid, new Uid((uint)++Count)));
            return receipts;
        }

        public Task<int> SetFlagsAsync(IReadOnlyList<FlagChange> changes, CancellationToken cancellationToken)
        {
            OnLook();
            return Task.FromResult(changes.Count);
        }

        public Task<int> RemoveAsync(UidSet uids, FolderPath? trash, CancellationToken cancellationToken)
        {
            OnLook();
            Removed += (int)uids.Count;
            return Task.FromResult((int)uids.Count);
        }

        private static byte[] Octets(uint uid) => Encoding.ASCII.GetBytes($"Message-ID: <{uid:d7}@example.org>\r\n\r\n{uid:d7}\r\n");

        private void LookNowAndThen()
        {
            if (++asked % LookEvery == 0)
                OnLook();
        }
    }
}
