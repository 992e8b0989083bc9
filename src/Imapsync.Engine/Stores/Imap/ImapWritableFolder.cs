using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// A folder as a target. A window (the batch of messages of one <see cref="AppendAsync"/>) is sent by MULTIAPPEND where the server offers
/// it. If the server refuses the command, its messages are marked as failed, since this class can't read them from the source once more.
/// The next attempt sends each of them with a command of its own, to find the one that is refused.
/// </summary>
internal sealed partial class ImapWritableFolder(
    ConnectionPool pool,
    ImapClient client,
    FolderPath path,
    FolderStatus status,
    StoreContext context,
    string wireName,
    StorableFlags storable,
    AppendHistory memory,
    ReadFailures readMemory,
    Func<FolderPath, CancellationToken, Task<string>> findWireName)
    : ImapFolder(pool, client, path, status, context, wireName, readMemory, readOnly: false), IWritableFolder
{
    private long? appendLimit;
    private Uid nextUid = status.UidNext;

    public Uid UidNext => held.IsNone ? nextUid : held;

    /// <summary>Makes sure that the folder is writable, and determines its UIDNEXT and its limit for appended messages.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        if (storable.IsReadOnly)
            throw new MailException(FailureScope.Folder, false, $"the server lets {Path} be read only");
        appendLimit = Client.Capabilities.AppendLimit;
        if (!nextUid.IsNone && !Client.Capabilities.HasAppendLimitPerFolder)
            return;
        var counters = await CountersUnlessRefusedAsync(cancellationToken);
        appendLimit ??= counters?.AppendLimit;
        if (nextUid.IsNone)
            nextUid = counters?.UidNext is { IsNone: false } told ? told : new Uid(1);
    }

    /// <summary>Returns the folder's counters; null if the server refuses STATUS, which some do for a selected folder or without a right.</summary>
    private async Task<FolderCounters?> CountersUnlessRefusedAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await GuardAsync(Client.StatusAsync(WireName, cancellationToken), "the status");
        }
        catch (MailException e) when (StatusAnswers.IsRefusal(e))
        {
            return null;
        }
    }

    public async Task<IReadOnlyList<AppendReceipt>> AppendAsync(IAsyncEnumerable<IncomingMessage> window, CancellationToken cancellationToken)
    {
        if (stopWith is { } reason)
            throw reason;
        await using var messages = window.GetAsyncEnumerator(cancellationToken);
        var sent = new List<SentMessage>();
        if (await NextAsync(messages, sent, cancellationToken) is { } first)
        {
            await ReviveAsync(cancellationToken);
            BeginWindow();
            await GuardAsync(SendAsync(first, messages, sent, cancellationToken), "appending to");
            if (mustReplace || Client.Refusals >= ConnectionPool.MaxRefusals)
                await ReplaceConnectionAsync(cancellationToken);
            mustReplace = false;
            await FindUidsAsync(sent, cancellationToken);
            await SettleFlagsAsync([.. sent.Where(s => s.Failure is null)], cancellationToken);
        }

        return [.. sent.Select(s => s.ToReceipt())];
    }

    /// <summary>Takes messages from the window (the batch of messages to append) until one of them can be sent.</summary>
    private async ValueTask<SentMessage?> NextAsync(IAsyncEnumerator<IncomingMessage> messages, List<SentMessage> sent, CancellationToken cancellationToken)
    {
        while (await messages.MoveNextAsync())
        {
            var message = await PrepareAsync(messages.Current, cancellationToken);
            sent.Add(message);
            if (message.Failure is null)
                return message;
        }

        return null;
    }

    private async ValueTask<SentMessage> PrepareAsync(IncomingMessage message, CancellationToken cancellationToken)
    {
        var trouble = memory.Find(message.Info);
        var flags = message.Info.Flags;
        var trial = trouble?.Flags ?? FlagTrial.All;
        if (trial != FlagTrial.All)
            flags = FlagSet.Create(flags.System, trial == FlagTrial.WithPlainKeywords ? PlainKeywords(flags) : []);
        var kept = storable.Keep(flags, out _);
        var lost = message.Info.Flags.Except(kept);
        // Gmail moves a message that is appended with \Deleted out of the folder, so that flag is set later.
        var afterwards = trial == FlagTrial.WithoutFlags ? kept
            : Client.Capabilities.HasGmail ? FlagSet.Create(kept.System & MessageFlags.Deleted) : FlagSet.Empty;
        var outgoing = new OutgoingMessage(
            kept.Except(afterwards), message.Info.InternalDate == default ? null : message.Info.InternalDate, message.Length, message.Body)
        {
            AskFirst = memory.AskFirst,
        };
        string? repaired = null;
        if (trouble is { Repair: not MessageRepair.None, FinalWords: null })
        {
            var octets = await MessageRepairing.ReadAsync(message.Body, message.Length, cancellationToken);
            octets = MessageRepairing.Apply(octets, trouble.Repair, out repaired);
            outgoing = outgoing with { Length = octets.Length, Body = System.IO.Pipelines.PipeReader.Create(new System.Buffers.ReadOnlySequence<byte>(octets)) };
        }

        var prepared = new SentMessage(message.Info, outgoing) { SetAfterwards = afterwards };
        if (!lost.IsEmpty)
            prepared.AddNote($"the server does not keep {lost}");
        if (trial == FlagTrial.WithoutFlags && !kept.IsEmpty)
            prepared.AddNote($"the server does not take it with ({kept}): set once it was there");
        if (repaired is not null)
            prepared.AddNote(repaired);
        if (trouble?.FinalWords is { } words)
            prepared.Fail(new MailException(FailureScope.Message, false, words));
        else if (appendLimit < outgoing.Length)
            prepared.Fail(new MailException(FailureScope.Message, false, $"the message has {outgoing.Length} octets and the server takes {appendLimit} at most (APPENDLIMIT)"));
        else if (memory.Row.PassesOver())
            prepared.Fail(new MailException(FailureScope.Message, true, memory.Row.Words) { IsPassedOver = true });
        return prepared;
    }

    private static IEnumerable<string> PlainKeywords(FlagSet flags) =>
        flags.Keywords.Where(k => k.All(c => char.IsAsciiLetterOrDigit(c) || c is '$' or '-' or '_'));
}
