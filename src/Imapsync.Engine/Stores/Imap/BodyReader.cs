using System.Runtime.CompilerServices;
using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Reads whole messages with a few FETCHes in flight at a time, each for a range of messages. A refused range is halved until the one
/// message is found that the server can't deliver. A message that does not arrive, or arrives empty, is requested once more by itself.
/// Messages that were being transferred when a connection broke are requested alone.
/// </summary>
/// <param name="messages">Enumerated only as ranges are requested.</param>
internal sealed class BodyReader(ImapClient client, FolderPath path, UidValidity validity, IEnumerable<MessageInfo> messages, ReadFailures memory)
{
    private const int Depth = 3;
    private const long MaxSurplusBytes = 64 << 20;

    // Ranges that are requested before any new range: halves of refused ranges, and single messages that are requested a second time.
    private readonly LinkedList<BodyRange> again = new();
    private readonly Queue<IncomingMessage> givenUp = new();
    private readonly Queue<BodyRange> inFlight = new();
    private readonly Dictionary<Uid, MessageInfo> expected = [];
    private readonly List<MessageInfo> unanswered = [];

    // Messages that arrived with another length than listed: wronglySized keeps the size that was listed first, until the message arrives a
    // second time; late has those that are still to be requested a second time.
    private readonly Dictionary<Uid, MessageInfo> wronglySized = [];
    private readonly List<MessageInfo> late = [];
    private Uid current;

    // Whether the server refused the last request for metadata.
    private bool isRefused;

    /// <summary>Whether no request is in flight on the connection.</summary>
    public bool IsDone => inFlight.Count == 0;

    public async IAsyncEnumerable<IncomingMessage> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var feed = new BodyFeed();
        using var watch = new Watch(this, cancellationToken);
        using var ranges = BodyRange.Cut(WorstLast(), m => memory.IsSuspect(validity, m.Uid)).GetEnumerator();
        while (true)
        {
            await AskAsync(ranges, feed, cancellationToken);
            while (givenUp.TryDequeue(out var hopeless))
                yield return hopeless;
            if (inFlight.Count == 0)
                break;
            var item = await NextAsync(feed, cancellationToken);
            Forgive();
            if (item is RangeDone done)
            {
                if (Finish(inFlight.Dequeue(), done.Failure) is { } failed)
                    yield return failed;
            }
            else if (await AcceptAsync((FetchedBody)item, cancellationToken) is { } message)
            {
                yield return message;
            }
        }

        // Replies come in the order of the requests, so the command that finds out which messages still exist is sent only now, when no
        // bodies are in flight that would come before its reply.
        foreach (var message in await StillThereAsync(cancellationToken))
            yield return new IncomingMessage(message, new MailException(FailureScope.Message, false, "the server lists the message and does not give its octets"));
    }

    /// <summary>Requests ranges until a few are in flight.</summary>
    private async Task AskAsync(IEnumerator<BodyRange> ranges, BodyFeed feed, CancellationToken cancellationToken)
    {
        while (inFlight.Count < Depth && (inFlight.Count == 0 || !inFlight.Peek().IsAlone))
        {
            if (again.First is null && ranges.MoveNext())
                again.AddFirst(ranges.Current);
            if (again.First is null && late.Count > 0 && inFlight.Count == 0)
                await AskAgainAsync(cancellationToken);
            if (again.First is not { } first || (first.Value.IsAlone && inFlight.Count > 0))
                return;
            again.RemoveFirst();
            var range = first.Value;
            inFlight.Enqueue(range);
            foreach (var message in range.Messages)
                expected[message.Uid] = message;
            try
            {
                await client.StartFetchAsync(range.Uids, "", feed, cancellationToken);
            }
            catch (Exception e) when (ImapFailure.IsImap(e))
            {
                throw BrokenOff(e);
            }
        }
    }

    /// <summary>
    /// Asks once more for the sizes of the messages that arrived with another length than listed, and queues a request for each of these messages.
    /// </summary>
    private async Task AskAgainAsync(CancellationToken cancellationToken)
    {
        var sizes = (await FindAsync(late, withSize: true, cancellationToken)).DistinctBy(r => r.Uid).ToDictionary(r => r.Uid, r => r.Size);
        foreach (var message in late)
        {
            var now = sizes.TryGetValue(message.Uid, out var size) && size >= 0 ? message with { Size = size } : message;
            again.AddLast(new BodyRange([now], IsRetry: true) { IsAlone = true });
        }

        late.Clear();
    }

    /// <summary>
    /// Moves a message to the end of the list if a connection broke while only this message was being transferred. If the next connection
    /// breaks at this message, too, all other messages have been copied before.
    /// </summary>
    private IEnumerable<MessageInfo> WorstLast()
    {
        var worst = new List<MessageInfo>();
        foreach (var message in messages.Where(IsReadable))
        {
            if (memory.HasBrokenAlone(validity, message.Uid))
                worst.Add(message);
            else
                yield return message;
        }

        foreach (var message in worst)
            yield return message;
    }

    private async ValueTask<FeedItem> NextAsync(BodyFeed feed, CancellationToken cancellationToken)
    {
        try
        {
            return await feed.NextAsync(cancellationToken);
        }
        catch (Exception e) when (ImapFailure.IsImap(e))
        {
            throw BrokenOff(e);
        }
    }

    private bool IsReadable(MessageInfo message)
    {
        if (memory.FinalWords(validity, message.Uid) is not { } words)
            return true;
        givenUp.Enqueue(new IncomingMessage(message, new MailException(FailureScope.Message, false, words)));
        return false;
    }

    private MailException BrokenOff(Exception e) => ImapFailure.Translate(e, FailureScope.Folder, $"reading {path} broke off");

    private async ValueTask<IncomingMessage?> AcceptAsync(FetchedBody fetched, CancellationToken cancellationToken)
    {
        var uid = fetched.Uid;
        if (uid.IsNone && inFlight.Peek().Messages is [var only])
            uid = only.Uid;
        // The server sent a body that was not requested or that it has sent before. Or the reply named the UID only after a body that is too big to
        // hold in memory; that message is then requested again by itself.
        if (!expected.TryGetValue(uid, out var info))
        {
            await DiscardAsync(fetched, cancellationToken);
            return null;
        }

        // A NIL or empty body is ignored: the message stays among the expected ones, so that it is requested once more.
        if (fetched.Length < 0 || (fetched.Length == 0 && info.Size != 0))
            return null;
        expected.Remove(uid);
        current = uid;
        // Many servers only estimate sizes, so a longer body is usually accepted. A body that is many times longer than listed could fill the disk,
        // so it is refused. The folder fails, since the rest of the literal can't be skipped.
        if (info.Size >= 0 && fetched.Length > (4 * info.Size) + MaxSurplusBytes)
            throw new MailException(FailureScope.Folder, false, $"message {uid} of {path}: the server said {info.Size} octets and announces {fetched.Length}");
        var body = new MessageBody(fetched.Body, path);
        var isSecond = wronglySized.Remove(uid, out var first);
        var listed = isSecond ? first.Size : info.Size;
        if (await SwallowedItems.AreInAsync(body, uid, info.Size, fetched.Length, isNamed: !fetched.Uid.IsNone, cancellationToken))
        {
            await DiscardAsync(fetched, cancellationToken);
            if (isSecond)
                return new IncomingMessage(info, new MailException(FailureScope.Message, false, $"the server announces {fetched.Length} octets for it, which takes in what follows the message in the reply, each time it is asked"));
            wronglySized[uid] = info;
            late.Add(info);
            return null;
        }

        if (info.Size == fetched.Length)
        {
            memory.Sizes.Agreed();
            return new IncomingMessage(info, fetched.Length, body) { Note = NoteOf(listed, fetched.Length) };
        }

        if (fetched.Length <= VanishedNotice.MaxLength && await VanishedNotice.IsAsync(body, cancellationToken))
            return null;
        switch (await memory.Sizes.JudgeAsync(info.Size, fetched.Length, body, isSecond, cancellationToken))
        {
            case SizeVerdict.Whole:
                return new IncomingMessage(info, fetched.Length, body) { Note = NoteOf(listed, fetched.Length) };
            case SizeVerdict.AskAgain:
                wronglySized[uid] = info;
                late.Add(info);
                await DiscardAsync(fetched, cancellationToken);
                return null;
            default:
                await DiscardAsync(fetched, cancellationToken);
                return new IncomingMessage(info with { Size = fetched.Length }, new MailException(
                    FailureScope.Message, false, $"the server says that the message has {info.Size} octets and gives {fetched.Length}, each time it is asked"));
        }
    }

    private static string? NoteOf(long listed, long length) => listed < 0 || listed == length ? null : $"the server said {listed} octets and sent {length}";

    /// <summary>
    /// Handles those messages of a requested range that did not arrive. Returns a message that the server will never deliver; null if there
    /// is none.
    /// </summary>
    private IncomingMessage? Finish(BodyRange range, ImapCommandException? failure)
    {
        List<MessageInfo> missing = [.. range.Messages.Where(m => expected.Remove(m.Uid))];
        if (failure is not null && missing.Count > 0)
            return Refused(missing, failure);
        if (range.IsRetry)
            unanswered.AddRange(missing);
        else
            PutBack(missing.Select(m => new BodyRange([m], IsRetry: true)));
        return null;
    }

    private IncomingMessage? Refused(List<MessageInfo> missing, ImapCommandException failure)
    {
        var error = ImapFailure.Translate(failure, FailureScope.Message, "the server does not give the message");
        if (error.Scope != FailureScope.Message)
            throw error;
        if (missing.Count == 1)
            return new IncomingMessage(missing[0], error);
        PutBack(BodyRange.Halve(missing));
        return null;
    }

    private void PutBack(IEnumerable<BodyRange> ranges)
    {
        foreach (var range in ranges.Reverse())
            again.AddFirst(range);
    }

    /// <summary>
    /// Lists which of the messages that were requested twice without success are still on the server. The others were removed meanwhile.
    /// </summary>
    private async Task<List<MessageInfo>> StillThereAsync(CancellationToken cancellationToken)
    {
        if (unanswered.Count == 0)
            return unanswered;
        var rows = await FindAsync(unanswered, withSize: false, cancellationToken);
        var listed = rows.Select(r => r.Uid).ToHashSet();
        return isRefused ? unanswered : unanswered.FindAll(m => listed.Contains(m.Uid));
    }

    private async Task<List<FetchedMessage>> FindAsync(List<MessageInfo> wanted, bool withSize, CancellationToken cancellationToken)
    {
        var rows = new List<FetchedMessage>();
        isRefused = false;
        try
        {
            foreach (var set in new UidSet(wanted.Select(m => m.Uid)).ToWire(900))
                await client.FetchMetadataAsync(set, withSize, null, rows, cancellationToken);
        }
        catch (ImapCommandException)
        {
            isRefused = true;
        }
        catch (Exception e) when (ImapFailure.IsImap(e))
        {
            throw BrokenOff(e);
        }

        return rows;
    }

    /// <summary>Records that the message being read is not the cause of a broken connection, since it has arrived whole.</summary>
    private void Forgive()
    {
        if (!current.IsNone)
            memory.Forgive(validity, current);
        current = Uid.None;
    }

    /// <summary>
    /// Records the messages that may have caused the connection to break: those that the server was sending or was about to send.
    /// </summary>
    private void Suspect()
    {
        if (!ImapFailure.IsUnexplained(client.BreakReason) || !inFlight.TryPeek(out var range))
            return;
        memory.Suspect(validity, [.. range.Messages.Select(m => m.Uid).Where(u => u == current || expected.ContainsKey(u))], client.BreakReason!);
    }

    private async ValueTask DiscardAsync(FetchedBody fetched, CancellationToken cancellationToken)
    {
        var body = new MessageBody(fetched.Body, path);
        while (true)
        {
            var read = await body.ReadAsync(cancellationToken);
            body.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return;
        }
    }

    /// <summary>Checks, however the reading ends, whether the connection broke, and then records the messages that may be the cause.</summary>
    private sealed class Watch(BodyReader reader, CancellationToken cancellationToken) : IDisposable
    {
        public void Dispose()
        {
            if (!cancellationToken.IsCancellationRequested)
                reader.Suspect();
        }
    }
}
