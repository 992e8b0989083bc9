using System.Buffers;
using System.IO.Pipelines;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task What_is_appended_gets_the_mark_or_a_higher_uid()
    {
        var folder = await OpenFolderAsync();
        for (var round = 0; round < 6; round++)
        {
            var mark = folder.UidNext;
            Assert.False(mark.IsNone);
            var uids = await folder.AppendAllAsync([.. Enumerable.Range(0, 1 + (round * 7)).Select(Letter.Number)]);
            Assert.All(uids, u => Assert.True(u >= mark));
            Assert.True(folder.UidNext > uids.Max());
            if (round % 2 == 1)
            {
                await folder.DisposeAsync();
                folder = await OpenFolderAsync();
                Assert.True(folder.UidNext > uids.Max());
            }
        }

        await folder.DisposeAsync();
    }

    [Fact]
    public async Task Uids_and_uidvalidity_survive_reopening()
    {
        IReadOnlyList<Uid> uids;
        UidValidity validity;
        await using (var folder = await OpenFolderAsync())
        {
            validity = folder.Status.UidValidity;
            uids = await folder.AppendAllAsync([.. Enumerable.Range(1, 20).Select(Letter.Number)]);
        }

        Assert.False(validity.IsNone);
        var store = await OpenStoreAsync(forWriting: false);
        await using var reading = await store.OpenAsync(Archive, Token);
        Assert.Equal(validity, reading.Status.UidValidity);
        Assert.Equal(20, reading.Status.Messages);
        Assert.Equal(reading.Status, await store.GetStatusAsync(Archive, Token));
        Assert.Equal(uids, (await reading.ListAllAsync(new ListRequest())).Select(i => i.Uid));
    }

    [Fact]
    public async Task A_folder_tells_how_many_messages_it_had_when_opened()
    {
        await using (var folder = await OpenFolderAsync())
        {
            Assert.Equal(0, folder.Status.Messages);
            await folder.AppendAllAsync(Letter.Number(1), Letter.Number(2));
        }

        await using var again = await OpenFolderAsync();
        Assert.Equal(2, again.Status.Messages);
        Assert.Equal(again.UidNext, again.Status.UidNext);
    }

    [Fact]
    public async Task Only_the_uids_asked_for_are_listed()
    {
        await using var folder = await OpenFolderAsync();
        var uids = await folder.AppendAllAsync([.. Enumerable.Range(1, 9).Select(Letter.Number)]);
        var listed = await folder.ListAllAsync(new ListRequest(new UidSet([uids[2], uids[3], uids[7], new Uid(4_000_000)])));
        Assert.Equal([uids[2], uids[3], uids[7]], listed.Select(i => i.Uid));
        Assert.Empty(await folder.ListAllAsync(new ListRequest(UidSet.Range(folder.UidNext, new Uid(uint.MaxValue)))));
    }

    [Fact]
    public async Task An_empty_window_is_no_error()
    {
        await using var folder = await OpenFolderAsync();
        Assert.Empty(await folder.AppendAllAsync());
        Assert.Empty(await ReadBackAsync());
    }

    [Fact]
    public async Task A_message_that_the_source_could_not_give_gets_its_failure_back()
    {
        await using var folder = await OpenFolderAsync();
        var failure = new MailException(FailureScope.Message, isTransient: false, "no octets");
        var receipts = await folder.AppendAsync(Mixed(), Token);
        Assert.Equal(3, receipts.Count);
        Assert.Same(failure, receipts.Single(r => r.Source == new Uid(2)).Failure);
        Assert.Equal(2, receipts.Count(r => r.IsAccepted));
        Assert.Equal(2, (await ReadBackAsync()).Count);

        async IAsyncEnumerable<IncomingMessage> Mixed()
        {
            await Task.Yield();
            yield return Letter.Number(1).Incoming(1);
            yield return new IncomingMessage(new MessageInfo(new Uid(2), FlagSet.Empty), failure);
            yield return Letter.Number(3).Incoming(3);
        }
    }

    [Theory]
    [InlineData(100, 101)]
    [InlineData(100, 0)]
    [InlineData(100, 99)]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    [InlineData(500_000, 500_001)]
    [InlineData(500_000, 499_999)]
    public async Task A_body_of_another_length_than_announced_is_refused(int octets, int announced)
    {
        await using var folder = await OpenFolderAsync();
        var receipts = await folder.AppendAsync(WrongInTheMiddle(), Token);
        Assert.False(receipts.Single(r => r.Source == new Uid(2)).IsAccepted);
        var read = await ReadBackAsync();
        Assert.Equal(
            [AwkwardMessages.Ordinary(1), AwkwardMessages.Ordinary(3)],
            receipts.Where(r => r.IsAccepted).OrderBy(r => r.Source).Select(r => read[r.Target].Octets));
        Assert.Equal(2, read.Count);

        async IAsyncEnumerable<IncomingMessage> WrongInTheMiddle()
        {
            await Task.Yield();
            yield return Letter.Number(1).Incoming(1);
            yield return new IncomingMessage(
                new MessageInfo(new Uid(2), FlagSet.Empty, Letter.SomeDate, announced), announced, PipeReader.Create(new ReadOnlySequence<byte>(new byte[octets])));
            yield return Letter.Number(3).Incoming(3);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(30)]
    public async Task An_exception_of_the_window_passes_through_and_leaves_nothing_torn(int before)
    {
        await using var folder = await OpenFolderAsync();
        await folder.AppendAllAsync(Letter.Number(0));
        var thrown = await Assert.ThrowsAsync<MailException>(() => folder.AppendAsync(Breaking(), Token));
        Assert.Equal("the source went away", thrown.Message);
        await AssertNothingTornAsync(folder, before);

        async IAsyncEnumerable<IncomingMessage> Breaking()
        {
            await Task.Yield();
            for (var i = 1; i <= before; i++)
                yield return Letter.Number(i).Incoming((uint)i);
            throw new MailException(FailureScope.Folder, isTransient: true, "the source went away");
        }
    }

    [Theory]
    [InlineData(200)]
    [InlineData(900_000)]
    public async Task An_exception_of_a_body_passes_through_and_leaves_nothing_torn(int length)
    {
        await using var folder = await OpenFolderAsync();
        await folder.AppendAllAsync(Letter.Number(0));
        var thrown = await Assert.ThrowsAsync<MailException>(() => folder.AppendAsync(Breaking(), Token));
        Assert.Equal("the source went away", thrown.Message);
        await AssertNothingTornAsync(folder, before: 3);

        async IAsyncEnumerable<IncomingMessage> Breaking()
        {
            await Task.Yield();
            for (var i = 1; i <= 3; i++)
                yield return Letter.Number(i).Incoming((uint)i);
            var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
            await pipe.Writer.WriteAsync(new byte[length / 2], Token);
            await pipe.Writer.CompleteAsync(new MailException(FailureScope.Folder, isTransient: true, "the source went away"));
            yield return new IncomingMessage(new MessageInfo(new Uid(4), FlagSet.Empty, Letter.SomeDate, length), length, pipe.Reader);
        }
    }

    [Fact]
    public async Task A_cancelled_window_leaves_nothing_torn()
    {
        await using var folder = await OpenFolderAsync();
        await folder.AppendAllAsync(Letter.Number(0));
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => folder.AppendAsync(Cancelled(), cancellation.Token));
        await AssertNothingTornAsync(folder, before: 3);

        async IAsyncEnumerable<IncomingMessage> Cancelled()
        {
            await Task.Yield();
            for (var i = 1; i <= 3; i++)
                yield return Letter.Number(i).Incoming((uint)i);
            await cancellation.CancelAsync();
            cancellation.Token.ThrowIfCancellationRequested();
        }
    }

    /// <summary>
    /// Asserts that message 0 is in the folder, that every message in it is complete, and that more messages can be appended.
    /// </summary>
    private async Task AssertNothingTornAsync(IWritableFolder folder, int before)
    {
        var whole = Enumerable.Range(0, before + 1).Select(AwkwardMessages.Ordinary).ToArray();
        Assert.All((await ReadBackAsync()).Values, l => Assert.Contains(whole, w => w.AsSpan().SequenceEqual(l.Octets)));
        Assert.Contains((await ReadBackAsync()).Values, l => l.Octets.AsSpan().SequenceEqual(whole[0]));
        var uids = await folder.AppendAllAsync(Letter.Number(99));
        Assert.Equal(AwkwardMessages.Ordinary(99), (await ReadBackAsync())[uids[0]].Octets);
    }
}
