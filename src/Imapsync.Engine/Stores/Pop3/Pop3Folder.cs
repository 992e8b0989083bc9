using System.Runtime.CompilerServices;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;
using Imapsync.Imap.Pop3;

namespace Imapsync.Engine.Stores.Pop3;

/// <summary>The one folder of a POP3 account, as its current session shows it. Its messages have no flags.</summary>
internal sealed class Pop3Folder(Pop3Store store, Pop3Mailbox mailbox) : IMessageFolder
{
    private const int MaxHeaderBytes = 1 << 20;

    public FolderPath Path => FolderPath.Inbox;

    public FolderStatus Status => mailbox.Status;

    public UidValidity LastingUidValidity => mailbox.LastingUidValidity;

    public IReadOnlyDictionary<Uid, Uid> Predecessors => mailbox.Predecessors;

    private Pop3Client Client => mailbox.Client;

    public async IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (request.ChangedSince is not null)
            throw new ArgumentException("POP3 has no HIGHESTMODSEQ", nameof(request));
        if (!request.WithDateAndSize)
        {
            foreach (var uid in Chosen(request.Uids))
                yield return new MessageInfo(uid, FlagSet.Empty);
            yield break;
        }

        await foreach (var (uid, header) in HeadersAsync(request.Uids, cancellationToken))
            yield return new MessageInfo(uid, FlagSet.Empty, HeaderDate.FindArrival(header.Span) ?? default, mailbox.SizeOf(mailbox.Numbers[uid]));
    }

    public async IAsyncEnumerable<MessageHeader> ReadHeadersAsync(UidSet uids, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var (uid, header) in HeadersAsync(uids, cancellationToken))
        {
            if (!header.IsEmpty)
                yield return new MessageHeader(uid, header);
        }
    }

    public async IAsyncEnumerable<IncomingMessage> ReadAsync(IEnumerable<MessageInfo> messages, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var body = new SpooledBody();
        // Messages during whose transfer a session broke come last. Each is requested alone, to show which one breaks the session.
        var doubtful = new List<MessageInfo>();
        await foreach (var message in AskAsync(Sound(), body, cancellationToken))
            yield return message;
        foreach (var message in doubtful)
        {
            if (store.Failures.FinalWords(Status.UidValidity, message.Uid) is { } words)
            {
                yield return new IncomingMessage(message, new MailException(FailureScope.Message, isTransient: false, words));
                continue;
            }

            await foreach (var read in AskAsync([message], body, cancellationToken))
                yield return read;
        }

        IEnumerable<MessageInfo> Sound()
        {
            foreach (var message in messages)
            {
                if (!mailbox.Numbers.ContainsKey(message.Uid))
                    continue;
                if (store.Failures.IsSuspect(Status.UidValidity, message.Uid))
                    doubtful.Add(message);
                else
                    yield return message;
            }
        }
    }

    public async Task<int> RemoveCopiedAsync(UidSet uids, CancellationToken cancellationToken)
    {
        var chosen = Chosen(uids).ToList();
        if (chosen.Count == 0)
            return 0;
        mailbox.RequireRoom(chosen.Count);
        var accepted = new List<Uid>();
        var refusals = new List<Pop3RefusedException>();
        try
        {
            foreach (var uid in chosen)
            {
                try
                {
                    await Client.DeleteAsync(mailbox.Numbers[uid], cancellationToken);
                    accepted.Add(uid);
                }
                catch (Pop3RefusedException e)
                {
                    refusals.Add(e);
                }
            }

            GiveUp(accepted);
            // The server deletes the marked messages only at QUIT. If the session breaks before, it deletes none.
            await Client.QuitAsync(cancellationToken);
        }
        catch (Exception e) when (Pop3Failure.IsPop3(e))
        {
            throw Pop3Failure.Translate(e, FailureScope.Folder, $"{store.Traits.Display}: what was copied can't be deleted");
        }

        return refusals.Count == 0
            ? accepted.Count
            : throw Pop3Failure.Translate(refusals[0], FailureScope.Folder, $"{store.Traits.Display}: of what was copied the server deletes {accepted.Count} and refuses to delete {refusals.Count}");
    }

    private void GiveUp(List<Uid> uids)
    {
        try
        {
            mailbox.GiveUp(uids);
        }
        catch
        {
            // The connection is broken off without QUIT, because at QUIT the server would delete the messages marked so far.
            Client.Break();
            throw;
        }
    }

    /// <summary>Does nothing: the session belongs to the store.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private IEnumerable<Uid> Chosen(UidSet? uids) => mailbox.Numbers.Keys.Where(u => uids?.Contains(u) != false);

    private async IAsyncEnumerable<IncomingMessage> AskAsync(IEnumerable<MessageInfo> messages, SpooledBody body, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var under = new Queue<MessageInfo>();
        await using var answers = Client.AskAsync(messages.Select(Ask), TakeAsync, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            await body.ClearAsync();
            try
            {
                if (!await answers.MoveNextAsync())
                    yield break;
            }
            catch (Exception e) when (Pop3Failure.IsPop3(e))
            {
                // A server answers requests in order. So when the session broke, it was sending the first message that is missing.
                if (under.Count > 0 && IsUnexplained(e))
                    store.Failures.Suspect(Status.UidValidity, [under.Peek().Uid], e);
                throw Pop3Failure.Translate(e, FailureScope.Folder, $"{store.Traits.Display}: reading mail broke off");
            }

            var message = under.Dequeue();
            store.Failures.Forgive(Status.UidValidity, message.Uid);
            if (answers.Current is { } refusal)
                yield return new IncomingMessage(message, Pop3Failure.Translate(refusal, FailureScope.Message, $"message {mailbox.Numbers[message.Uid]}"));
            else if (body.Length == 0)
                yield return new IncomingMessage(message, new MailException(FailureScope.Message, isTransient: false, "the server sent nothing of the message"));
            else
                yield return body.Give(message);
        }

        string Ask(MessageInfo message)
        {
            under.Enqueue(message);
            return $"RETR {mailbox.Numbers[message.Uid]}";
        }

        async ValueTask TakeAsync(ReadOnlyMemory<byte> piece)
        {
            try
            {
                await body.TakeAsync(piece);
            }
            catch (Exception e) when (FileErrors.Is(e))
            {
                throw LocalFiles.Failure(e, FailureScope.Store, System.IO.Path.GetTempPath());
            }
        }
    }

    private static bool IsUnexplained(Exception e) =>
        e is ImapProtocolException or ImapConnectionException { Failure: ConnectionFailure.Network or ConnectionFailure.Stall };

    /// <summary>
    /// Reads the headers by TOP, or from whole messages if the server has no TOP. A header is empty if the server does not deliver it.
    /// </summary>
    private async IAsyncEnumerable<(Uid Uid, ReadOnlyMemory<byte> Header)> HeadersAsync(UidSet? uids, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var chosen = Chosen(uids).ToList();
        var verb = chosen.Count > 0 && await TakesTopAsync(mailbox.Numbers[chosen[0]], cancellationToken) ? "TOP" : "RETR";
        var header = new MemoryStream();
        var commands = chosen.Select(u => verb == "TOP" ? $"TOP {mailbox.Numbers[u]} 0" : $"RETR {mailbox.Numbers[u]}");
        await using var answers = Client.AskAsync(commands, Take, cancellationToken).GetAsyncEnumerator(cancellationToken);
        foreach (var uid in chosen)
        {
            try
            {
                await answers.MoveNextAsync();
            }
            catch (Exception e) when (Pop3Failure.IsPop3(e))
            {
                throw Pop3Failure.Translate(e, FailureScope.Folder, $"{store.Traits.Display}: reading headers broke off");
            }

            yield return (uid, answers.Current is null ? CutHeader(header.GetBuffer().AsSpan(0, (int)header.Length)) : default);
            header.SetLength(0);
        }

        ValueTask Take(ReadOnlyMemory<byte> piece)
        {
            header.Write(piece.Span[..(int)Math.Min(piece.Length, MaxHeaderBytes - header.Length)]);
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>
    /// Returns whether the server supports TOP. If the server announces no capabilities, it is asked for one header to find out.
    /// </summary>
    private async Task<bool> TakesTopAsync(int number, CancellationToken cancellationToken)
    {
        if (Client.Capabilities.AreTold)
            return Client.Capabilities.HasTop;
        try
        {
            return mailbox.TakesTop ??= await Client.AskAsync([$"TOP {number} 0"], _ => ValueTask.CompletedTask, cancellationToken).AllAsync(r => r is null, cancellationToken);
        }
        catch (Exception e) when (Pop3Failure.IsPop3(e))
        {
            throw Pop3Failure.Translate(e, FailureScope.Folder, $"{store.Traits.Display}: reading headers broke off");
        }
    }

    /// <summary>Cuts off everything after the empty line that ends the header.</summary>
    private static ReadOnlyMemory<byte> CutHeader(ReadOnlySpan<byte> octets)
    {
        if (octets.StartsWith("\r\n"u8))
            return octets[..2].ToArray();
        var end = octets.IndexOf("\r\n\r\n"u8);
        return (end < 0 ? octets : octets[..(end + 4)]).ToArray();
    }
}
