using System.Threading.Channels;

namespace Imapsync.Imap.Connection;

/// <summary>
/// One connection to a server, used by one caller. <see cref="ReadLoop"/> reads and <see cref="WriteLoop"/> writes.
/// Failures are reported, never retried.
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

    /// <param name="network">A connected stream, still without TLS. The connection takes ownership of it.</param>
    /// <param name="wrap">Wraps the watched network stream in TLS, for implicit TLS; null for none.</param>
    public static async ValueTask<ImapConnection> OpenAsync(
        Stream network, Func<Stream, ValueTask<Stream>>? wrap, ConnectionSettings settings, CancellationToken cancellationToken)
    {
        // The watchdog also guards the TLS handshake, so it has to exist before the connection does.
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

    /// <summary>A pseudo-command that is pending from the start and is answered by the server's first line.</summary>
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

    /// <summary>Completes when the read loop has ended, so nothing more will be read.</summary>
    public Task Ended => readLoop;

    /// <inheritdoc cref="ReadLoop.UnknownLines"/>
    public int UnknownLines => reading.UnknownLines;

    public bool IsBroken => BreakReason is not null;

    public Exception? BreakReason => pending.BreakReason;

    /// <summary>How long the connection has been idle; zero while a command is in flight.</summary>
    public TimeSpan QuietTime => watchdog.QuietTime;

    /// <summary>Whether the connection waits for octets that the caller is to supply, not for the server.</summary>
    public bool WaitsForSource => watchdog.IsPaused;

    public TimeSpan StallTimeout { get; }

    /// <summary>Sends a command and waits for its tagged OK.</summary>
    /// <exception cref="ImapCommandException">The server answered NO or BAD.</exception>
    public async ValueTask<StatusReply> ExecuteAsync(ImapCommand command, CancellationToken cancellationToken)
    {
        var reply = await SettleAsync(command, cancellationToken);
        return reply.Kind == StatusKind.Ok ? reply : throw new ImapCommandException(command.Name, reply);
    }

    /// <summary>Sends a command and waits for its tagged reply, which may be OK, NO or BAD.</summary>
    public ValueTask<StatusReply> SettleAsync(ImapCommand command, CancellationToken cancellationToken)
    {
        command.Cancellation = cancellationToken;
        return AnswerAsync(command, SendAsync(command, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Sends a command and returns once it is written or can't be written any more. Only <see cref="AnswerAsync"/> reports a failure, so
    /// that the answers to earlier commands are not lost.
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

    /// <summary>Waits for the tagged reply, which may be OK, NO or BAD, to a command that was already sent.</summary>
    public ValueTask<StatusReply> AnswerAsync(ImapCommand command, CancellationToken cancellationToken) =>
        AnswerAsync(command, ValueTask.CompletedTask, cancellationToken);

    /// <summary>Queues a command. Its <see cref="ImapCommand.Completion"/> yields the tagged reply, even NO, or fails with the connection.</summary>
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
                // This command will not be sent. Hold the command that was to be sent with it (see Hold) until the next command.
                if (command.Before is { } before)
                    Hold(before);
                command.Before = null;
                if (e is ChannelClosedException)
                    ThrowIfBroken();
                throw;
            }
        }
    }

    /// <summary>Holds a command back until the next one is sent, so that both go out in one write and cost one round trip.</summary>
    public void Hold(ImapCommand command) => Volatile.Write(ref held, command);

    /// <summary>Sends the command that <see cref="Hold"/> held back, unless it already went out with another command.</summary>
    public ValueTask SendHeldAsync(CancellationToken cancellationToken) =>
        Interlocked.Exchange(ref held, null) is { } command ? SendAsync(command, cancellationToken) : ValueTask.CompletedTask;

    /// <summary>Keeps the user name and the secret out of the trace, even if the server repeats them.</summary>
    public void Hide(string user, string secret) => trace?.Hide(user, secret);

    /// <summary>
    /// Ends the connection, whatever the cause. Only the first reason counts: all commands in flight or queued fail with it.
    /// </summary>
    /// <returns>An exception with the first reason, for the caller to throw.</returns>
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
        // While a consumer holds a body, the read loop waits for that consumer. Waiting for the read loop here could then hang for ever.
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

    /// <summary>
    /// Cancels a command. (1) A queued command is removed from the queue. (2) For a fully written command, the reply is ignored. (3) For a
    /// partly written command, the connection is ended.
    /// </summary>
    private async ValueTask LetGoAsync(ImapCommand command, Exception failure)
    {
        if (command.TryUnqueue())
            return;
        if (failure is OperationCanceledException && !command.IsWritten)
            Break(new ImapConnectionException(ConnectionFailure.Closed, $"cancelled while {command.Name} was being sent"));
        // Wait until the write loop has finished with the command, because the caller may dispose the message's body
        // once this method returns.
        await command.WhenWritten;
    }

    private void OnStall(string what) => Break(new ImapConnectionException(
        ConnectionFailure.Stall, $"the server {what} with {pending.Oldest?.Name ?? "a command"} unanswered"));
}

/// <summary>The settings of a connection apart from its stream.</summary>
/// <param name="Trace">Receives the conversation line by line, without literals and credentials.</param>
/// <param name="Log">Receives the same lines, and how long each command took.</param>
internal sealed record ConnectionSettings(TimeProvider Time, TimeSpan StallTimeout, ImapLimits Limits, Action<string>? Trace, ConnectionLog? Log = null);
