using Imapsync.Imap.Connection;
using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Text;
using Imapsync.Imap.Client;
using Imapsync.Imap.Tests.Connection;

namespace Imapsync.Imap.Tests.Commands;

public sealed class AppendTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_message_refused_before_the_continuation_is_not_sent()
    {
        await using var session = await Session.OpenAsync();
        var append = session.Client.AppendAsync("Sent", Window("hello"), Token);
        var tag = await session.Server.ExpectAsync("APPEND \"Sent\" (\\Seen) \"17-Jul-2024 02:44:25 +0000\" {5}", Token);
        await session.Server.SendAsync($"{tag} NO [OVERQUOTA] full\r\n", Token);
        Assert.Equal(StatusKind.No, (await append).Reply.Kind);
        var noop = session.Client.NoopAsync(Token);
        await session.Server.AnswerAsync("NOOP");
        await noop;
    }

    [Fact]
    public async Task A_window_goes_as_one_command_and_tells_its_UIDs()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 LITERAL+ MULTIAPPEND UIDPLUS");
        var append = session.Client.AppendAsync("Sent", Window("hello", "you"), Token);
        var tag = await session.Server.ExpectAsync("APPEND \"Sent\" (\\Seen) \"17-Jul-2024 02:44:25 +0000\" {5+}", Token);
        Assert.Equal("hello", await session.Server.ReadOctetsAsync(5, Token));
        Assert.Equal(" (\\Seen) \"17-Jul-2024 02:44:25 +0000\" {3+}", await session.Server.ReadLineAsync(Token));
        Assert.Equal("you\r\n", await session.Server.ReadOctetsAsync(5, Token));
        await session.Server.SendAsync($"{tag} OK [APPENDUID 9 41:42] done\r\n", Token);
        var result = await append;
        Assert.Equal((2, "41:42", new UidValidity(9)), (result.Taken, result.Uids!.ToString(), result.UidValidity));
    }

    [Fact]
    public async Task A_connection_that_breaks_does_not_take_the_answers_before_it()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 LITERAL+ UIDPLUS");
        var accepted = await session.Client.StartAppendAsync("Sent", Message("hello"), Token);
        var unanswered = await session.Client.StartAppendAsync("Sent", Message("hello"), Token);
        var tag = await session.Server.ExpectAsync("APPEND \"Sent\" (\\Seen) \"17-Jul-2024 02:44:25 +0000\" {5+}", Token);
        await session.Server.SendAsync($"{tag} OK [APPENDUID 9 41] done\r\n* BYE enough\r\n", Token);
        await Assert.ThrowsAsync<ImapConnectionException>(() => session.Client.FinishAppendAsync(unanswered, Token).AsTask());
        var unsent = await session.Client.StartAppendAsync("Sent", Message("hello"), Token);
        Assert.True(unsent.IsAnswered);
        Assert.Equal("41", (await session.Client.FinishAppendAsync(accepted, Token)).Uids!.ToString());
        for (var time = 0; time < 2; time++)
            await Assert.ThrowsAsync<ImapConnectionException>(() => session.Client.FinishAppendAsync(unsent, Token).AsTask());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_message_that_waits_for_its_turn_is_let_go_of(bool isCancelled)
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 LITERAL+", new ImapLimits { MaxInFlight = 1 });
        using var cancellation = new CancellationTokenSource();
        var first = await session.Client.StartAppendAsync("Sent", Message("hello"), Token);
        var waiting = session.Client.StartAppendAsync("Sent", Message("hello"), cancellation.Token).AsTask();
        var tag = await session.Server.ExpectAsync("APPEND \"Sent\" (\\Seen) \"17-Jul-2024 02:44:25 +0000\" {5+}", Token);
        Assert.False(waiting.IsCompleted);
        if (isCancelled)
        {
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
            await session.Server.SendAsync($"{tag} OK done\r\n", Token);
            Assert.Equal(StatusKind.Ok, (await session.Client.FinishAppendAsync(first, Token)).Reply.Kind);
            var noop = session.Client.NoopAsync(Token);
            Assert.Equal("hello\r\n", await session.Server.ReadOctetsAsync(7, Token));
            await session.Server.AnswerAsync("NOOP");
            await noop;
        }
        else
        {
            await session.Server.SendAsync("* BYE enough\r\n", Token);
            var unsent = await waiting;
            await Assert.ThrowsAsync<ImapConnectionException>(() => session.Client.FinishAppendAsync(unsent, Token).AsTask());
        }
    }

    [Fact]
    public async Task A_body_that_fails_passes_its_own_exception_and_ends_the_connection()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 LITERAL+");
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync("he"u8.ToArray(), Token);
        await pipe.Writer.CompleteAsync(new InvalidDataException("the source broke"));
        var append = session.Client.AppendAsync("Sent", Window(pipe.Reader), Token);
        Assert.Equal("the source broke", (await Assert.ThrowsAsync<InvalidDataException>(() => append)).Message);
        await Assert.ThrowsAnyAsync<Exception>(() => session.Client.NoopAsync(Token));
        Assert.True(session.Client.IsBroken);
    }

    [Fact]
    public async Task A_connection_lost_while_the_window_is_asked_for_more_waits_for_the_window_and_tells_of_the_loss()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 LITERAL+ MULTIAPPEND");
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var append = session.Client.AppendAsync("Sent", Waiting(), Token);
        await asked.Task;
        Assert.False(append.IsCompleted);
        goOn.SetResult();
        await Assert.ThrowsAsync<ImapConnectionException>(() => append);

        async IAsyncEnumerable<OutgoingMessage> Waiting()
        {
            // Block here until the connection is broken. Then the flush of earlier octets fails while the client waits for this message.
            var gone = session.Server.DisposeAsync().AsTask();
            SpinWait.SpinUntil(() => session.Client.IsBroken);
            asked.SetResult();
            await Task.WhenAll(gone, goOn.Task);
            await foreach (var message in Window("hello"))
                yield return message;
        }
    }

    [Fact]
    public async Task A_slow_source_is_no_stall()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 LITERAL+");
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync("he"u8.ToArray(), Token);
        var append = session.Client.AppendAsync("Sent", Window(pipe.Reader), Token);
        var tag = await session.Server.ExpectAsync("APPEND \"Sent\" (\\Seen) \"17-Jul-2024 02:44:25 +0000\" {5+}", Token);
        Assert.Equal("he", await session.Server.ReadOctetsAsync(2, Token));
        // The server receives the octets slightly before the client knows that they were written, so wait for the client.
        SpinWait.SpinUntil(() => session.Client.WaitsForSource);
        session.Clock.Advance(TimeSpan.FromHours(1));
        await pipe.Writer.WriteAsync("llo"u8.ToArray(), Token);
        await pipe.Writer.CompleteAsync();
        Assert.Equal("llo\r\n", await session.Server.ReadOctetsAsync(5, Token));
        await session.Server.SendAsync($"{tag} OK\r\n", Token);
        Assert.Equal(StatusKind.Ok, (await append).Reply.Kind);
    }

    [Fact]
    public async Task Compression_goes_both_ways()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 COMPRESS=DEFLATE", segment: 7);
        var compress = session.Client.CompressAsync(Token);
        await session.Server.AnswerAsync("COMPRESS DEFLATE");
        await compress;
        session.Server.Wrap(s => new Both(new DeflateStream(s, CompressionMode.Decompress), new DeflateStream(s, CompressionLevel.Fastest)));
        for (var i = 0; i < 3; i++)
        {
            var noop = session.Client.NoopAsync(Token);
            await session.Server.AnswerAsync("NOOP");
            await noop;
        }
    }

    [Fact]
    public async Task A_decompression_bomb_ends_at_the_limit_of_a_line()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 COMPRESS=DEFLATE");
        var compress = session.Client.CompressAsync(Token);
        await session.Server.AnswerAsync("COMPRESS DEFLATE");
        await compress;
        session.Server.Wrap(s => new DeflateStream(s, CompressionLevel.Optimal));
        var noop = session.Client.NoopAsync(Token);
        var bomb = session.Server.SendAsync("* OK " + new string('x', 100 << 20), Token);
        await Assert.ThrowsAsync<ImapProtocolException>(() => noop);
        await Record.ExceptionAsync(() => bomb);
    }

    private static async IAsyncEnumerable<OutgoingMessage> Window(params string[] bodies)
    {
        foreach (var body in bodies)
        {
            await Task.Yield();
            yield return Message(body);
        }
    }

    private static IAsyncEnumerable<OutgoingMessage> Window(PipeReader body) => new[] { Message(5, body) }.ToAsyncEnumerable();

    private static OutgoingMessage Message(string body) =>
        Message(body.Length, PipeReader.Create(new ReadOnlySequence<byte>(Encoding.Latin1.GetBytes(body))));

    private static OutgoingMessage Message(long length, PipeReader body) =>
        new(FlagSet.Create(MessageFlags.Seen), new DateTimeOffset(2024, 7, 17, 2, 44, 25, TimeSpan.Zero), length, body);

    /// <summary>A stream that reads from one stream and writes to another.</summary>
    private sealed class Both(Stream read, Stream write) : DuplexStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => read.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => write.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => write.FlushAsync(cancellationToken);
    }
}
