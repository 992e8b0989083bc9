using Imapsync.Imap.Commands;
using System.Collections.Immutable;
using System.IO.Pipelines;
using System.Threading.Channels;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Connection;

/// <summary>
/// One connection of one caller: a read loop, which alone touches the <see cref="PipeReader"/> (or lends it to one
/// <see cref="LiteralReader"/>), and a write loop, which alone touches the <see cref="PipeWriter"/>. It reports, it never retries.
/// </summary>
internal sealed partial class ImapConnection : IAsyncDisposable
{
    private const int ReadBufferSize = 256 << 10;
    private const int QueueLength = 64;

    private readonly ImapLimits limits;
    private readonly ImapTrace? trace;
    private readonly TimeProvider time;
    private readonly Channel<ImapCommand> queue;
    private readonly Lock gate = new();
    private ImapCommand? held;
    // Rung by a tagged reply that makes room and closed with the connection. A semaphore would make several tasks for each wait with a token.
    private readonly Channel<bool> answered = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ProgressWatchdog watchdog;
    private readonly Task readLoop;
    private readonly Task writeLoop;
    private ImmutableArray<ImapCommand> inFlight = [];
    private Stream stream;
    private PipeReader reader;
    private PipeWriter writer;
    private Exception? broken;
    private volatile bool isLent;
    private int tags;
    private int unknownLines;

    /// <param name="network">Connected, and under TLS already where that is implicit. Owned from here on.</param>
    /// <param name="wrap">Puts TLS over the watched network stream, for implicit TLS.</param>
    public static async ValueTask<ImapConnection> OpenAsync(
        Stream network, Func<Stream, ValueTask<Stream>>? wrap, ConnectionSettings settings, CancellationToken cancellationToken)
    {
        // The watchdog guards the handshake as well, so it is there before the connection is.
        ImapConnection? connection = null;
        var guard = new ProgressWatchdog(settings.Time, settings.StallTimeout, what =>
        {
            if (connection is null)
                network.Dispose();
            else
                connection.OnStall(what);
        });
        try
        {
            guard.CommandSent();
            using var registration = cancellationToken.UnsafeRegister(static s => ((Stream)s!).Dispose(), network);
            Stream secured = new WatchedStream(network, guard);
            if (wrap is not null)
                secured = await wrap(secured);
            guard.CommandAnswered();
            connection = new ImapConnection(secured, guard, settings);
            return connection;
        }
        catch (Exception e)
        {
            guard.Dispose();
            await network.DisposeAsync();
            cancellationToken.ThrowIfCancellationRequested();
            if (e is ImapConnectionException)
                throw;
            throw new ImapConnectionException(ConnectionFailure.Network, $"no connection: {e.Message}", e);
        }
    }

    private ImapConnection(Stream stream, ProgressWatchdog watchdog, ConnectionSettings settings)
    {
        this.stream = stream;
        this.watchdog = watchdog;
        limits = settings.Limits;
        time = settings.Time;
        trace = ImapTrace.For(settings.Trace, settings.Log);
        trace?.Note("connected");
        StallTimeout = settings.StallTimeout;
        queue = Channel.CreateBounded<ImapCommand>(QueueLength);
        reader = NewReader();
        writer = NewWriter();
        Greeting = new GreetingCommand();
        Greeting.TryStart();
        Greeting.FinishWriting();
        inFlight = [Greeting];
        watchdog.CommandSent();
        readLoop = Task.Run(ReadLoopAsync, CancellationToken.None);
        writeLoop = Task.Run(WriteLoopAsync, CancellationToken.None);
    }

    /// <summary>Stands in the queue from the start; answered by the server's first line.</summary>
    public GreetingCommand Greeting { get; }

    /// <summary>As last heard; null after a step that voids them (STARTTLS, log-in) until heard again.</summary>
    public ImapCapabilities? Capabilities { get; set; }

    /// <summary>EXISTS as last heard, less what was expunged since (servers need not repeat it, RFC 9051 §7.5.1).</summary>
    public long Exists { get; private set; }

    /// <summary>How many EXPUNGE replies came since the connection began.</summary>
    public long Expunged { get; private set; }

    /// <summary>Commands answered NO or BAD.</summary>
    public int Refusals { get; private set; }

    /// <summary>Lines that made no sense so far.</summary>
    public int UnknownLines => unknownLines;

    public bool IsBroken => BreakReason is not null;

    public Exception? BreakReason => Volatile.Read(ref broken);

    /// <summary>For how long nothing has been asked for; zero while something is.</summary>
    public TimeSpan QuietTime => watchdog.QuietTime;

    /// <summary>It waits for what the caller has to send, not for the server.</summary>
    public bool WaitsForSource => watchdog.IsPaused;

    public TimeSpan StallTimeout { get; }

    /// <summary>Sends a command and waits for its tagged OK.</summary>
    /// <exception cref="ImapCommandException">NO or BAD.</exception>
    public async ValueTask<StatusReply> ExecuteAsync(ImapCommand command, CancellationToken cancellationToken)
    {
        var reply = await SettleAsync(command, cancellationToken);
        return reply.Kind == StatusKind.Ok ? reply : throw new ImapCommandException(command.Name, reply);
    }

    /// <summary>Sends a command and waits for its tagged reply, whatever it says.</summary>
    public ValueTask<StatusReply> SettleAsync(ImapCommand command, CancellationToken cancellationToken)
    {
        command.Cancellation = cancellationToken;
        return AnswerAsync(command, SendAsync(command, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Sends a command and returns when it is written, or never will be. <see cref="AnswerAsync"/> tells what came of it, a connection
    /// that broke included: the answers to what was sent before are not lost over it.
    /// </summary>
    public async ValueTask StartAsync(ImapCommand command, CancellationToken cancellationToken)
    {
        command.Cancellation = cancellationToken;
        try
        {
            await SendAsync(command, cancellationToken);
            await command.WhenWritten.WaitAsync(cancellationToken);
        }
        catch (Exception e)
        {
            await LetGoAsync(command, e);
            if (e is OperationCanceledException)
                throw;
            command.Fail(e);
        }
    }

    /// <summary>The tagged reply, whatever it says, of a command that was sent.</summary>
    public ValueTask<StatusReply> AnswerAsync(ImapCommand command, CancellationToken cancellationToken) =>
        AnswerAsync(command, ValueTask.CompletedTask, cancellationToken);

    /// <summary>Queues a command; its completion ends with its tagged reply, be it NO, or fails with the connection.</summary>
    public ValueTask SendAsync(ImapCommand command, CancellationToken cancellationToken)
    {
        ThrowIfBroken();
        command.Before = Interlocked.Exchange(ref held, null);
        return queue.Writer.TryWrite(command) ? ValueTask.CompletedTask : new ValueTask(WaitToSendAsync());

        async Task WaitToSendAsync()
        {
            try
            {
                await queue.Writer.WriteAsync(command, cancellationToken);
            }
            catch (Exception e)
            {
                // It was this one's only by chance.
                if (command.Before is { } before)
                    Hold(before);
                command.Before = null;
                if (e is ChannelClosedException)
                    ThrowIfBroken();
                throw;
            }
        }
    }

    /// <summary>Keeps a command for the next one that is sent, to go out in one write with it: by itself it would cost a write, and a round trip to who counts them.</summary>
    public void Hold(ImapCommand command) => Volatile.Write(ref held, command);

    /// <summary>Sends what is held, if nothing was sent since.</summary>
    public ValueTask SendHeldAsync(CancellationToken cancellationToken) =>
        Interlocked.Exchange(ref held, null) is { } command ? SendAsync(command, cancellationToken) : ValueTask.CompletedTask;

    /// <summary>What must not appear in the trace, whoever says it.</summary>
    public void Hide(string user, string secret) => trace?.Hide(user, secret);

    /// <summary>The one way this connection ends. The first reason wins; everything in flight or queued fails with it.</summary>
    /// <returns>An exception for the caller to throw, telling the first reason.</returns>
    public Exception Break(Exception reason)
    {
        ImmutableArray<ImapCommand> lost;
        lock (gate)
        {
            if (broken is not null)
                return Telling(broken);
            broken = reason is ImapConnectionException or ImapProtocolException
                ? reason
                : new ImapConnectionException(ConnectionFailure.Network, $"the connection was lost: {reason.Message}", reason);
            lost = inFlight;
            inFlight = [];
        }

        trace?.Note(broken.Message);
        queue.Writer.TryComplete();
        answered.Writer.TryComplete();
        stream.Dispose();
        foreach (var command in lost)
            FailCommand(command);
        while (queue.Reader.TryRead(out var command))
            FailCommand(command);
        return Telling(broken);
    }

    public void ThrowIfBroken()
    {
        if (Volatile.Read(ref broken) is { } reason)
            throw Telling(reason);
    }

    public async ValueTask DisposeAsync()
    {
        Break(new ImapConnectionException(ConnectionFailure.Closed, "the connection was closed"));
        await writeLoop;
        // A consumer that holds a body and never comes back must not hang its own disposal.
        if (!isLent)
            await readLoop;
        watchdog.Dispose();
    }

    private async ValueTask<StatusReply> AnswerAsync(ImapCommand command, ValueTask sending, CancellationToken cancellationToken)
    {
        await sending;
        try
        {
            return await command.Completion.WaitAsync(cancellationToken);
        }
        catch (Exception e)
        {
            await LetGoAsync(command, e);
            throw;
        }
    }

    /// <summary>Rungs of cancellation: taken from the queue; its reply ignored; torn in the middle, the connection ends.</summary>
    private async ValueTask LetGoAsync(ImapCommand command, Exception failure)
    {
        if (command.TryUnqueue())
            return;
        if (failure is OperationCanceledException && !command.IsWritten)
            Break(new ImapConnectionException(ConnectionFailure.Closed, $"cancelled while {command.Name} was being sent"));
        // Whatever happened, the write loop lets go of a body before its owner is told.
        await command.WhenWritten;
    }

    private static Exception Telling(Exception reason) => reason switch
    {
        ImapProtocolException p => new ImapProtocolException(p.Message, p) { Reply = p.Reply, IsFramingLost = p.IsFramingLost },
        ImapConnectionException c => new ImapConnectionException(c.Failure, c.Message, c) { Bye = c.Bye, SpeaksInstead = c.SpeaksInstead, Certificate = c.Certificate },
        _ => reason,
    };

    private void FailCommand(ImapCommand command)
    {
        var reason = Telling(broken!);
        command.Before?.Fail(reason);
        command.Fail(reason);
        command.Feed?.Fail(reason);
    }

    private void OnStall(string what) => Break(new ImapConnectionException(
        ConnectionFailure.Stall, $"the server {what} with {inFlight.FirstOrDefault()?.Name ?? "a command"} unanswered"));

    private PipeReader NewReader() =>
        PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: ReadBufferSize, minimumReadSize: 16 << 10, leaveOpen: true));

    // A segment is what one write to the network takes: as much as is flushed at once.
    private PipeWriter NewWriter() => PipeWriter.Create(stream, new StreamPipeWriterOptions(minimumBufferSize: CommandWriter.FlushAt, leaveOpen: true));
}

/// <summary>What a connection needs besides its stream.</summary>
/// <param name="Trace">Gets the conversation line by line, without literals and credentials.</param>
/// <param name="Log">Gets the same, and how long each command took.</param>
internal sealed record ConnectionSettings(TimeProvider Time, TimeSpan StallTimeout, ImapLimits Limits, Action<string>? Trace, ConnectionLog? Log = null);
