using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Commands;

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
