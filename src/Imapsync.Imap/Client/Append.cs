using System.IO.Pipelines;
using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>
    /// Appends a group of messages (the window) with one command; more than one message requires MULTIAPPEND. A refusal by the server is
    /// returned as a result, not thrown. Exceptions of the window or of a message's body pass through unchanged and end the connection.
    /// </summary>
    public async Task<AppendResult> AppendAsync(string wireName, IAsyncEnumerable<OutgoingMessage> window, CancellationToken cancellationToken)
    {
        var command = new AppendCommand(wireName, window);
        return command.ToResult(await connection.SettleAsync(command, cancellationToken));
    }

    /// <summary>
    /// Appends one message and returns once its octets are written, so that the next APPEND need not wait for the answer.
    /// </summary>
    public async ValueTask<StartedAppend> StartAppendAsync(string wireName, OutgoingMessage message, CancellationToken cancellationToken)
    {
        var command = new AppendCommand(wireName, message);
        await connection.StartAsync(command, cancellationToken);
        return new StartedAppend(command);
    }

    /// <summary>Waits for the server's answer to a started APPEND.</summary>
    public async ValueTask<AppendResult> FinishAppendAsync(StartedAppend append, CancellationToken cancellationToken) =>
        append.Command.ToResult(await connection.AnswerAsync(append.Command, cancellationToken));
}

/// <summary>A message to append.</summary>
/// <param name="Length">The exact number of octets in <paramref name="Body"/>.</param>
/// <param name="InternalDate">Null leaves the date to the server, which uses the current time.</param>
public sealed record OutgoingMessage(FlagSet Flags, DateTimeOffset? InternalDate, long Length, PipeReader Body)
{
    /// <summary>
    /// Whether to wait for the server's <c>+</c> before the message is sent, even with LITERAL+. A BAD instead of the <c>+</c> does not end
    /// the connection.
    /// </summary>
    public bool AskFirst { get; init; }
}

/// <summary>The outcome of an APPEND.</summary>
/// <param name="Reply">
/// OK if all messages of the command are in the folder; otherwise NO or BAD, and the server should have stored none.
/// </param>
/// <param name="Taken">How many messages were read from the caller's sequence; after a refusal possibly not all.</param>
/// <param name="Uids">The assigned UIDs, in the order of the messages; null if the server did not report them.</param>
public sealed record AppendResult(StatusReply Reply, int Taken, UidValidity UidValidity, UidSet? Uids);

/// <summary>An APPEND whose octets are written and whose answer may still be outstanding.</summary>
public readonly struct StartedAppend
{
    internal StartedAppend(AppendCommand command) => Command = command;

    /// <summary>Whether the server has answered, or will never answer because the connection broke.</summary>
    public bool IsAnswered => Command.Completion.IsCompleted;

    internal AppendCommand Command { get; }
}

/// <summary>
/// APPEND of one message (RFC 9051 §6.3.12), or of several where MULTIAPPEND (RFC 3502) is offered. Messages are read from the caller's
/// sequence (the window) one by one while the command is being sent.
/// </summary>
internal sealed class AppendCommand : ImapCommand
{
    private readonly string wireName;
    private readonly OutgoingMessage? only;
    private readonly IAsyncEnumerable<OutgoingMessage>? window;

    public AppendCommand(string wireName, OutgoingMessage message) => (this.wireName, only) = (wireName, message);

    /// <param name="window">The messages to append; at least one.</param>
    public AppendCommand(string wireName, IAsyncEnumerable<OutgoingMessage> window) => (this.wireName, this.window) = (wireName, window);

    public override string Name => "APPEND";

    /// <summary>How many messages were read from the caller's sequence.</summary>
    public int Taken { get; private set; }

    /// <summary>The UIDs reported by APPENDUID (RFC 4315); null if the server reported none.</summary>
    public (UidValidity Validity, UidSet Uids)? Assigned { get; private set; }

    public AppendResult ToResult(StatusReply reply) => new(reply, Taken, Assigned?.Validity ?? UidValidity.None, Assigned?.Uids);

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("APPEND ");
        if (!await writer.StringAsync(wireName))
            return;
        if (window is null)
        {
            await PutAsync(writer, only!);
            return;
        }

        await foreach (var message in writer.TakeAsync(window))
        {
            if (!await PutAsync(writer, message))
                return;
        }
    }

    private ValueTask<bool> PutAsync(CommandWriter writer, OutgoingMessage message)
    {
        Taken++;
        writer.Text(" ");
        if (!message.Flags.IsEmpty)
            writer.Text($"({message.Flags}) ");
        if (message.InternalDate is { } date)
            writer.Text($"\"{ImapDate.Format(date)}\" ");
        return writer.LiteralAsync(message.Length, message.Body, message.AskFirst);
    }

    public override void OnStatus(StatusReply status) => Note(status);

    public override void OnTagged(StatusReply status) => Note(status);

    private void Note(StatusReply status)
    {
        // Some servers send [APPENDUID 0 …], which carries no information and is ignored.
        if (status.Code is { Kind: ResponseCodeKind.AppendUid } code && !code.Validity.IsNone
            && code.Words.Skip(1).FirstOrDefault() is { } uids && UidSet.TryParse(uids, out var set))
        {
            Assigned = (code.Validity, set);
        }
    }
}
