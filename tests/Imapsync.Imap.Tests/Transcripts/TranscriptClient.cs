using System.Buffers;
using System.Globalization;
using System.Text;
using Imapsync.Imap.Client;

namespace Imapsync.Imap.Tests.Transcripts;

/// <summary>Makes the calls listed in a transcript and logs the outcome of each, line by line.</summary>
internal sealed class TranscriptClient(ImapClientOptions options) : IAsyncDisposable
{
    private ImapClient? client;

    public List<string> Log { get; } = [];

    /// <summary>The exception that ended the conversation early, if it is not one of the documented ones.</summary>
    public Exception? Undocumented { get; private set; }

    public async Task RunAsync(IEnumerable<string> calls, CancellationToken cancellationToken)
    {
        foreach (var call in calls)
        {
            Log.Add("> " + call);
            try
            {
                var words = call.Split(' ').Select(w => w == "\"\"" ? "" : Encoding.UTF8.GetString(Transcript.Unescape(w))).ToArray();
                await CallAsync(words[0], words[1..], cancellationToken);
            }
            catch (ImapCommandException e)
            {
                Tell($"ImapCommandException {e.Reply}{(e.IsTransient ? "; transient" : "")}"
                    + (e.RetryAfter is { } wait ? $"; retry after {wait.TotalMilliseconds:0} ms" : ""));
                if (client is null)
                    return;
            }
            catch (ImapLogInException e)
            {
                Tell($"{nameof(ImapLogInException)} {e.Message}");
                return;
            }
            catch (Exception e)
            {
                Tell(e is ImapConnectionException c ? $"ImapConnectionException {c.Failure}" : e.GetType().Name);
                if (e is not (ImapConnectionException or ImapProtocolException))
                    Undocumented = e;
                return;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (client is not null)
            await client.DisposeAsync();
    }

    private async Task CallAsync(string name, string[] words, CancellationToken cancellationToken)
    {
        if (name == "connect")
        {
            client = await ImapClient.ConnectAsync(options, cancellationToken);
            Tell($"greeting {Transcript.Escape(Latin1(client.Greeting))}".TrimEnd() + (client.IsPreAuthenticated ? "; preauthenticated" : ""));
            Tell($"capabilities {client.Capabilities}".TrimEnd());
            return;
        }

        var c = client ?? throw new FormatException("a transcript connects first");
        switch (name)
        {
            case "login":
                await LogInAsync(c, words, cancellationToken);
                break;
            case "logout":
                await c.LogOutAsync(cancellationToken);
                Tell("ok");
                break;
            case "noop":
                await c.NoopAsync(cancellationToken);
                Tell("ok");
                break;
            case "id":
                foreach (var (field, value) in await c.IdAsync(cancellationToken))
                    Tell($"{field}: {value}");
                break;
            case "exists":
                Tell($"exists {c.Exists}");
                break;
            case "create":
                await c.CreateAsync(Latin1(words[0]), words.ElementAtOrDefault(1), cancellationToken);
                Tell("ok");
                break;
            case "subscribe":
                await c.SubscribeAsync(Latin1(words[0]), true, cancellationToken);
                Tell("ok");
                break;
            default:
                await ReadAsync(c, name, words, cancellationToken);
                break;
        }
    }

    private async Task ReadAsync(ImapClient c, string name, string[] words, CancellationToken cancellationToken)
    {
        switch (name)
        {
            case "namespace":
                foreach (var space in await c.NamespaceAsync(cancellationToken))
                    Tell($"{space.Kind} prefix={Transcript.Escape(space.Prefix)} delimiter={space.Delimiter}");
                break;
            case "list":
                Tell(await c.ListAsync(words[0], words[1], cancellationToken));
                break;
            case "list-extended":
                Tell(await c.ListExtendedAsync(words[0], words[1], cancellationToken));
                break;
            case "xlist":
                Tell(await c.XListAsync(words[0], words[1], cancellationToken));
                break;
            case "lsub":
                Tell(await c.ListSubscribedAsync(words[0], words[1], cancellationToken));
                break;
            case "status":
                Tell(await c.StatusAsync(Latin1(words[0]), cancellationToken) is { } counters ? Text(counters) : "nothing");
                break;
            case "select" or "examine":
                await SelectAsync(c, Latin1(words[0]), name == "examine", cancellationToken);
                break;
            case "metadata" or "flags":
                await ListMessagesAsync(c, words[0], name == "metadata", words.ElementAtOrDefault(1), cancellationToken);
                break;
            case "bodies" or "headers":
                await FetchAsync(c, name == "headers" ? "HEADER" : "", words, cancellationToken);
                break;
            default:
                throw new FormatException($"no call is named {name}");
        }
    }

    private async Task LogInAsync(ImapClient c, string[] words, CancellationToken cancellationToken)
    {
        await c.LogInAsync(new ImapCredentials(words[0], words[1], words.ElementAtOrDefault(2), words.ElementAtOrDefault(3)), cancellationToken);
        Tell($"capabilities {c.Capabilities}".TrimEnd());
    }

    private async Task SelectAsync(ImapClient c, string name, bool readOnly, CancellationToken cancellationToken)
    {
        var folder = await c.SelectAsync(name, readOnly, cancellationToken);
        Tell($"{Text(folder.Counters)}{(folder.IsReadOnly ? " read-only" : "")} permanent={folder.PermanentFlags?.ToString() ?? "all"}"
            + (folder.AllowsNewKeywords ? "" : " no-new-keywords"));
    }

    private async Task ListMessagesAsync(ImapClient c, string set, bool all, string? since, CancellationToken cancellationToken)
    {
        var rows = new List<FetchedMessage>();
        await c.FetchMetadataAsync(set, all, since is null ? null : new ModSeq(ulong.Parse(since)), rows, cancellationToken);
        foreach (var row in rows)
        {
            var date = row.InternalDate == default ? "none" : row.InternalDate.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);
            Tell($"uid={row.Uid} flags=({row.Flags})" + (all ? $" date={date} size={row.Size}" : ""));
        }

        if (rows.Count == 0)
            Tell("nothing");
    }

    private async Task FetchAsync(ImapClient c, string section, string[] ranges, CancellationToken cancellationToken)
    {
        await using var feed = new BodyFeed();
        foreach (var range in ranges)
        {
            if (!UidSet.TryParse(range, out var uids))
                throw new FormatException($"no set of UIDs: {range}");
            await c.StartFetchAsync(uids, section, feed, cancellationToken);
        }

        for (var left = ranges.Length; left > 0;)
        {
            switch (await feed.NextAsync(cancellationToken))
            {
                case RangeDone done:
                    Tell($"done {done.Range}" + (done.Failure is null ? "" : $" {done.Failure.Reply}"));
                    left--;
                    break;
                case FetchedBody body:
                    await TakeAsync(body, cancellationToken);
                    break;
            }
        }
    }

    private async Task TakeAsync(FetchedBody body, CancellationToken cancellationToken)
    {
        const int shown = 60;
        var beginning = new StringBuilder();
        long count = 0;
        while (true)
        {
            var read = await body.Body.ReadAsync(cancellationToken);
            count += read.Buffer.Length;
            if (beginning.Length < shown)
                beginning.Append(Encoding.Latin1.GetString(read.Buffer.Slice(0, Math.Min(shown - beginning.Length, read.Buffer.Length))));
            body.Body.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                break;
        }

        Tell($"body uid={body.Uid} length={body.Length} came={count} {Transcript.Escape(beginning.ToString())}".TrimEnd());
    }

    private void Tell(IReadOnlyCollection<ListedFolder> folders)
    {
        foreach (var f in folders)
        {
            var decoded = ModifiedUtf7.Decode(f.WireName);
            Tell($"folder {Transcript.Escape(f.WireName)} delimiter={Transcript.Escape($"{f.Delimiter}")} attributes={Transcript.Escape(string.Join(',', f.Attributes.Order(StringComparer.Ordinal)))}"
                + (decoded == f.WireName ? "" : $" text={decoded}") + (f.Status is null ? "" : $" {Text(f.Status)}"));
        }

        if (folders.Count == 0)
            Tell("nothing");
    }

    private void Tell(string result) => Log.Add("= " + result);

    private static string Latin1(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    private static string Text(FolderCounters c) =>
        $"messages={c.Messages} uidnext={c.UidNext} uidvalidity={c.UidValidity}"
        + (c.Unseen is null ? "" : $" unseen={c.Unseen}") + (c.HighestModSeq is null ? "" : $" modseq={c.HighestModSeq}")
        + (c.MailboxId is null ? "" : $" id={c.MailboxId}");
}
