using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Imap;

namespace Imapsync.Engine.Tests.Transcripts;

/// <summary>A text of everything that the IMAP store reads from a server during a backup of the whole mailbox.</summary>
internal static class StoreDump
{
    private static readonly ImapEndpoint Endpoint = new("imap.example.com", 143, TlsMode.None, "alice") { Password = new FixedSecret(), Connections = 1 };

    public static async Task<string> TakeAsync(TranscriptServer server, TimeProvider time, CancellationToken cancellationToken)
    {
        var dump = new StringBuilder();
        var context = new StoreContext(time, note =>
        {
            lock (dump)
                dump.Append("note ").Append(note).Append('\n');
        });
        try
        {
            await using var store = await ImapStore.OpenAsync(Endpoint, context, server.DialAsync, cancellationToken);
            foreach (var folder in (await store.ListFoldersAsync(cancellationToken)).OrderBy(f => f.Path))
            {
                var marks = (folder.HoldsMessages ? "" : " noselect") + (folder.Subscribed ? " subscribed" : "");
                dump.Append($"folder {folder.Path} {folder.Special}{marks}\n");
                if (folder.HoldsMessages)
                    await GuardAsync(dump, () => AddMessagesAsync(dump, store, folder.Path, cancellationToken));
            }
        }
        catch (MailException e)
        {
            Add(dump, e);
        }

        return dump.ToString();
    }

    private static async Task AddMessagesAsync(StringBuilder dump, IMessageStore store, FolderPath path, CancellationToken cancellationToken)
    {
        await using var folder = await store.OpenAsync(path, cancellationToken);
        dump.Append($"  {folder.Status.Messages} messages, validity {folder.Status.UidValidity}\n");
        var messages = new List<MessageInfo>();
        await foreach (var m in folder.ListAsync(new ListRequest(WithDateAndSize: true), cancellationToken))
        {
            messages.Add(m);
            dump.Append($"  {m.Uid} ({m.Flags}) {m.InternalDate:yyyy-MM-dd HH:mm:sszzz} {m.Size}\n");
        }

        await foreach (var message in folder.ReadAsync(messages, cancellationToken))
        {
            if (message.Failure is { } failure)
                Add(dump.Append($"  {message.Uid} "), failure);
            else
                dump.Append($"  {message.Uid} {await ReadAsync(message, cancellationToken)}{(message.Note is null ? "" : " note " + message.Note)}\n");
        }
    }

    private static async Task<string> ReadAsync(IncomingMessage message, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        while (true)
        {
            var read = await message.Body.ReadAsync(cancellationToken);
            text.Append(Encoding.Latin1.GetString(read.Buffer));
            message.Body.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                break;
        }

        Assert.Equal(message.Length, text.Length);
        return "'" + text.Replace("\r", "\\r").Replace("\n", "\\n") + "'";
    }

    private static async Task GuardAsync(StringBuilder dump, Func<Task> part)
    {
        try
        {
            await part();
        }
        catch (MailException e) when (e.Scope != FailureScope.Store)
        {
            Add(dump, e);
        }
    }

    private static void Add(StringBuilder dump, MailException e) =>
        dump.Append($"{e.Scope} {(e.IsTransient ? "transient" : "permanent")} {e.Kind}: {e.Message}{(e.RetryAfter is { } wait ? $" (after {wait})" : "")}\n");

    private sealed class FixedSecret : SecretReference
    {
        public override ValueTask<Secret> ReadAsync(CancellationToken cancellationToken) => ValueTask.FromResult(new Secret("pass"));

        public override string ToString() => "the test";
    }
}
