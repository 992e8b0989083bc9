using System.Threading.Channels;

namespace Imapsync.Imap.Connection;

/// <summary>
/// One connection: what <see cref="ReadLoop"/> and <see cref="WriteLoop"/> do for one caller. It reports, it never retries.
/// </summary>
internal sealed class ImapConnection : IAsyncDisposable
{
    private readonly ImapTrace? trace;
    private readonly ProgressWatchdog watchdog;
    private readonly Transport transport;
    private readonly PendingCommands pending;
    private readonly SessionState session;
    private readonly ReadLoop reading;
    private readonly WriteLoop writing;
    private readonly Task readLoop;
    private readonly Task writeLoop;
    private ImapCommand? held;

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
        this.watchdog = watchdog;
        trace = ImapTrace.For(settings.Trace, settings.Log);
        trace?.Note("connected");
        StallTimeout = settings.StallTimeout;
        transport = new Transport(stream);
        pending = new PendingCommands(settings.Limits, watchdog);
        session = new SessionState(settings.Limits);
        Greeting.TryStart();
        Greeting.FinishWriting();
        pending.TryAdd(Greeting);
        var commands = new CommandWriter(() => transport.Writer, () => session.Capabilities ?? ImapCapabilities.None, watchdog, trace);
        reading = new ReadLoop(transport, pending, session, Greeting, settings.Limits, trace, settings.Time, Break);
        writing = new WriteLoop(transport, pending, commands, trace, settings.Time, Break);
        readLoop = Task.Run(reading.RunAsync, CancellationToken.None);
        writeLoop = Task.Run(writing.RunAsync, CancellationToken.None);
    }

    /// <summary>Stands in the queue from the start; answered by the server's first line.</summary>
    public GreetingCommand Greeting { get; } = new();

    /// <inheritdoc cref="SessionState.Capabilities"/>
    public ImapCapabilities? Capabilities
    {
        get => session.Capabilities;
        set => session.Capabilities = value;
    }

    /// <inheritdoc cref="SessionState.Exists"/>
    public long Exists => session.Exists;

    /// <inheritdoc cref="SessionState.Expunged"/>
    public long Expunged => session.Expunged;

    /// <inheritdoc cref="SessionState.Refusals"/>
    public int Refusals => session.Refusals;

    /// <inheritdoc cref="SessionState.OnNews"/>
    public Action<FolderNews>? OnNews
    {
        get => session.OnNews;
        set => session.OnNews = value;
    }

    /// <summary>Done when nothing more will be read.</summary>
    public Task Ended => readLoop;

    /// <inheritdoc cref="ReadLoop.UnknownLines"/>
    public int UnknownLines => reading.UnknownLines;

    public bool IsBroken => BreakReason is not null;

    public Exception? BreakReason => pending.BreakReason;

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
        return writing.Queue.TryWrite(command) ? ValueTask.CompletedTask : new ValueTask(WaitToSendAsync());

        async Task WaitToSendAsync()
        {
            try
            {
                await writing.Queue.WriteAsync(command, cancellationToken);
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
        if (pending.End(reason) is { } lost)
        {
            trace?.Note(pending.BreakReason!.Message);
            writing.Queue.TryComplete();
            transport.Close();
            foreach (var command in lost)
                pending.Fail(command);
            writing.FailQueued();
        }

        return PendingCommands.Telling(pending.BreakReason!);
    }

    public void ThrowIfBroken() => pending.ThrowIfBroken();

    public async ValueTask DisposeAsync()
    {
        Break(new ImapConnectionException(ConnectionFailure.Closed, "the connection was closed"));
        await writeLoop;
        // A consumer that holds a body and never comes back must not hang its own disposal.
        if (!reading.IsLent)
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

    private void OnStall(string what) => Break(new ImapConnectionException(
        ConnectionFailure.Stall, $"the server {what} with {pending.Oldest?.Name ?? "a command"} unanswered"));
}

/// <summary>What a connection needs besides its stream.</summary>
/// <param name="Trace">Gets the conversation line by line, without literals and credentials.</param>
/// <param name="Log">Gets the same, and how long each command took.</param>
internal sealed record ConnectionSettings(TimeProvider Time, TimeSpan StallTimeout, ImapLimits Limits, Action<string>? Trace, ConnectionLog? Log = null);
