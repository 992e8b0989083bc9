using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

internal sealed partial class ImapWritableFolder
{
    /// <summary>
    /// A refusal that concerns more than one message, after which nothing more is sent; null if there was none. It is thrown after the
    /// messages that were accepted before it have got their UIDs and flags.
    /// </summary>
    private MailException? stopWith;
    private bool mustReplace;

    private async Task SendAsync(
        SentMessage first, IAsyncEnumerator<IncomingMessage> messages, List<SentMessage> sent, CancellationToken cancellationToken)
    {
        try
        {
            for (var next = first; next is not null;)
            {
                next = GoesTogether(next)
                    ? await SendTogetherAsync(next, messages, sent, cancellationToken)
                    : await SendSinglyAsync(next, messages, sent, cancellationToken);
            }
        }
        catch (Exception e) when (ImapFailure.IsImap(e))
        {
            Suspect(e, [.. sent.Where(s => !s.IsSettled)]);
            throw ImapFailure.Translate(e, FailureScope.Folder, $"appending to {Path}");
        }

        if (stopWith is not null && !sent.Exists(s => s is { IsSettled: true, Failure: null }))
            throw stopWith;
    }

    private bool GoesTogether(SentMessage message) =>
        Client.Capabilities.HasMultiAppend && !memory.AskFirst && memory.Find(message.Source) is not ({ IsSingle: true } or { IsSuspect: true });

    /// <summary>Sends as many messages as fit into one command.</summary>
    /// <returns>
    /// The next message, which was taken from the window (the batch of messages to append) and not sent yet; null at the end.
    /// </returns>
    private async Task<SentMessage?> SendTogetherAsync(
        SentMessage first, IAsyncEnumerator<IncomingMessage> messages, List<SentMessage> sent, CancellationToken cancellationToken)
    {
        var together = new List<SentMessage>();
        SentMessage? after = null;
        var result = await Client.AppendAsync(WireName, OutgoingAsync(), cancellationToken);
        foreach (var message in together)
            message.IsSettled = true;
        if (result.Reply.Kind == StatusKind.Ok)
        {
            Assign(together, result);
            memory.Row.Accepted();
            memory.ArrivedTogether();
            return after;
        }

        if (together.Count == 1)
        {
            await RefuseAsync(together[0], result.Reply, cancellationToken);
            return MustEnd && after is not null ? Leave(after) : after;
        }

        var refusal = Refusal(result.Reply);
        if (refusal.Scope != FailureScope.Message)
            throw refusal;
        // From now on, each of these messages is sent with a command of its own.
        together.ForEach(m => memory.About(m.Source).IsSingle = true);
        // Courier answers NO after it has stored the first of several messages, so the folder is checked before anything is sent again.
        if (result.Reply.Kind == StatusKind.Bad || Client.IsBroken || (await FetchArrivedAsync(nextUid, cancellationToken)).Count > 0)
            throw new MailException(FailureScope.Folder, true, $"a window was refused by {Path}, perhaps not all of it: {result.Reply}");
        together.ForEach(m => m.Failure = new MailException(FailureScope.Message, true, $"refused together with others: {result.Reply}"));

        return after;

        async IAsyncEnumerable<OutgoingMessage> OutgoingAsync()
        {
            long bytes = 0;
            for (var message = first; message is not null; message = await NextAsync(messages, sent, cancellationToken))
            {
                if (together.Count > 0 && (bytes + message.Outgoing.Length > memory.TogetherBytes || !GoesTogether(message)))
                {
                    after = message;
                    yield break;
                }

                together.Add(message);
                bytes += message.Outgoing.Length;
                yield return message.Outgoing;
            }
        }
    }

    /// <summary>Whether nothing more may be sent on this connection.</summary>
    private bool MustEnd => stopWith is not null || mustReplace || Client.Refusals >= ConnectionPool.MaxRefusals;

    /// <summary>
    /// Marks a message as failed because the sending stopped after the message had been taken from the window (the batch of messages to
    /// append). The failure is transient, so the message is copied later.
    /// </summary>
    private static SentMessage? Leave(SentMessage message)
    {
        message.Fail(new MailException(FailureScope.Message, true, "not sent"));
        return null;
    }

    /// <summary>
    /// Sends each message with a command of its own, several of them in flight. But a message that was being sent when an earlier connection
    /// broke is sent while no other is in flight. Ends when messages may be sent together again.
    /// </summary>
    /// <returns>
    /// The next message, which was taken from the window (the batch of messages to append) and not sent yet; null at the end.
    /// </returns>
    private async Task<SentMessage?> SendSinglyAsync(
        SentMessage first, IAsyncEnumerator<IncomingMessage> messages, List<SentMessage> sent, CancellationToken cancellationToken)
    {
        var underWay = new Queue<(SentMessage Message, StartedAppend Append)>();
        SentMessage? after = null;
        try
        {
            for (var message = first; message is not null; message = await NextAsync(messages, sent, cancellationToken))
            {
                if (GoesTogether(message))
                {
                    after = message;
                    break;
                }

                var goesAlone = memory.AskFirst || memory.Find(message.Source)?.IsSuspect == true;
                while (underWay.Count > 0 && (goesAlone || !HasRoom(underWay.Count)))
                    await SettleAsync(underWay, cancellationToken);
                // The message was already taken from the window (the batch of messages to append), so it has to be sent, even if a refusal
                // that arrived during the wait above means that nothing more should be sent (MustEnd).
                underWay.Enqueue((message, await Client.StartAppendAsync(WireName, message.Outgoing with { AskFirst = memory.AskFirst }, cancellationToken)));
                while (underWay.TryPeek(out var oldest) && (goesAlone || oldest.Append.IsAnswered))
                    await SettleAsync(underWay, cancellationToken);
                if (MustEnd)
                    break;
            }

            while (underWay.Count > 0)
                await SettleAsync(underWay, cancellationToken);
            return MustEnd && after is not null ? Leave(after) : after;
        }
        finally
        {
            // All APPENDs in flight have to end before the folder is searched for the messages that arrived.
            foreach (var (_, append) in underWay)
                await ((Task)Client.FinishAppendAsync(append, cancellationToken).AsTask()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>
    /// Returns whether one more command may be sent. The server may refuse every command in flight, and Exchange closes the connection at the tenth refusal.
    /// </summary>
    private bool HasRoom(int underWay) =>
        underWay + Client.Refusals < ConnectionPool.MaxRefusals
        || (Client.Refusals == 0 && !Client.Greeting.Contains("Microsoft", StringComparison.OrdinalIgnoreCase));

    private async Task SettleAsync(Queue<(SentMessage Message, StartedAppend Append)> underWay, CancellationToken cancellationToken)
    {
        var (message, append) = underWay.Peek();
        var result = await Client.FinishAppendAsync(append, cancellationToken);
        underWay.Dequeue();
        message.IsSettled = true;
        if (result.Reply.Kind == StatusKind.Ok)
        {
            Assign([message], result);
            memory.Row.Accepted();
        }
        else
        {
            await RefuseAsync(message, result.Reply, cancellationToken);
        }
    }
}
