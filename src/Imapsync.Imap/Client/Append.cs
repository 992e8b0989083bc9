using System.IO.Pipelines;
using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>
    /// Appends a window with one command; of more than one message only where MULTIAPPEND is offered. A refusal is a result,
    /// not an exception. An exception of the window or of a body passes through as it is and ends the connection.
    /// </summary>
    public async Task<AppendResult> AppendAsync(string wireName, IAsyncEnumerable<OutgoingMessage> window, CancellationToken cancellationToken)
    {
        var command = new AppendCommand(wireName, window);
        return command.ToResult(await connection.SettleAsync(command, cancellationToken));
    }

    /// <summary>Appends one message and returns when its octets are written, so that the next one can follow.</summary>
    public async ValueTask<StartedAppend> StartAppendAsync(string wireName, OutgoingMessage message, CancellationToken cancellationToken)
    {
        var command = new AppendCommand(wireName, message);
        await connection.StartAsync(command, cancellationToken);
        return new StartedAppend(command);
    }

    /// <summary>What came of a message that was appended.</summary>
    public async ValueTask<AppendResult> FinishAppendAsync(StartedAppend append, CancellationToken cancellationToken) =>
        append.Command.ToResult(await connection.AnswerAsync(append.Command, cancellationToken));
}

/// <summary>A message to append.</summary>
/// <param name="Length">Octets <paramref name="Body"/> gives, exactly.</param>
/// <param name="InternalDate">Null: now, by the server's clock.</param>
public sealed record OutgoingMessage(FlagSet Flags, DateTimeOffset? InternalDate, long Length, PipeReader Body)
{
    /// <summary>Wait for <c>+</c> even where it is not needed: then a BAD to the message does not cost the connection.</summary>
    public bool AskFirst { get; init; }
}

/// <summary>What came of an APPEND.</summary>
/// <param name="Reply">OK, or the refusal: all of the window is in the folder, or none of it should be.</param>
/// <param name="Taken">How many messages were taken from the window; fewer than it has after a refusal.</param>
/// <param name="Uids">Those assigned, in the order of the window; null where the server did not say.</param>
public sealed record AppendResult(StatusReply Reply, int Taken, UidValidity UidValidity, UidSet? Uids);

/// <summary>A message whose octets are written and whose answer may be still to come.</summary>
public readonly struct StartedAppend
{
    internal StartedAppend(AppendCommand command) => Command = command;

    /// <summary>The answer is there, or will never come.</summary>
    public bool IsAnswered => Command.Completion.IsCompleted;

    internal AppendCommand Command { get; }
}

/// <summary>
/// APPEND of one message (RFC 9051 §6.3.12), or of several where MULTIAPPEND (RFC 3502) is offered. Messages are taken from
/// the window one after the other while they are being sent.
/// </summary>
internal sealed class AppendCommand : ImapCommand
{
    private readonly string wireName;
    private readonly OutgoingMessage? only;
    private readonly IAsyncEnumerable<OutgoingMessage>? window;

    public AppendCommand(string wireName, OutgoingMessage message) => (this.wireName, only) = (wireName, message);

    /// <param name="window">At least one message.</param>
    public AppendCommand(string wireName, IAsyncEnumerable<OutgoingMessage> window) => (this.wireName, this.window) = (wireName, window);

    public override string Name => "APPEND";

    /// <summary>How many messages were taken from the window.</summary>
    public int Taken { get; private set; }

    /// <summary>APPENDUID (RFC 4315), or none.</summary>
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
        // Some servers send [APPENDUID 0 …], which says nothing.
        if (status.Code is { Kind: ResponseCodeKind.AppendUid } code && !code.Validity.IsNone
            && code.Words.Skip(1).FirstOrDefault() is { } uids && UidSet.TryParse(uids, out var set))
        {
            Assigned = (code.Validity, set);
        }
    }
}
