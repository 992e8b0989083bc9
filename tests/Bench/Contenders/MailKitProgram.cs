using System.Globalization;
using System.Threading.Channels;
using MailKit;
using MailKit.Net.Imap;
using MailKit.Security;
using MimeKit;

namespace Imapsync.Bench.Contenders;

/// <summary>Copies an account with MailKit's public interface, into another account or a Maildir.</summary>
/// <param name="isBatched">
/// Whether to use the fastest variant that MailKit allows: four connections to each side, many bodies with one FETCH, many messages with
/// one APPEND (MULTIAPPEND if offered), and no MIME parsing. Otherwise the usual loop over one connection to each side: fetch and parse a
/// message, append or write it, and go on with the next.
/// </param>
internal sealed class MailKitProgram(bool isBatched, MailKitProgram.Account from, MailKitProgram.Account? to, string? maildir)
{
    // This is the number of connections that imapsync opens.
    private const int Connections = 4;
    private const int BatchMessages = 100;
    private const long BatchBytes = 8 << 20;

    private static readonly FormatOptions OnDisk = OnDiskOptions();

    private int failed;

    internal sealed record Account(int Port, string User, string Password);

    /// <returns>The exit status: 3 if messages were left out.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var (from, rest) = (Read(arguments.Skip(1)), arguments.Skip(4).ToList());
        var program = new MailKitProgram(arguments[0] == "batched", from, rest.Count == 3 ? Read(rest) : null, rest.Count == 1 ? rest[0] : null);
        await program.CopyAsync();
        return program.failed == 0 ? 0 : 3;

        static Account Read(IEnumerable<string> words) =>
            words.ToList() is var list ? new Account(int.Parse(list[0], CultureInfo.InvariantCulture), list[1], list[2]) : throw new InvalidOperationException();
    }

    private async Task CopyAsync()
    {
        List<string> names;
        using (var source = await ConnectAsync(from))
        {
            var folders = await source.GetFoldersAsync(source.PersonalNamespaces[0]);
            names = [.. folders.Where(f => (f.Attributes & (FolderAttributes.NoSelect | FolderAttributes.NonExistent)) == FolderAttributes.None).Select(f => f.FullName)];
        }

        if (to is not null)
        {
            using var target = await ConnectAsync(to);
            // Create parents first. A parent that is not a folder at the source is created as a folder here too.
            var made = new Dictionary<string, IMailFolder>(StringComparer.Ordinal) { ["INBOX"] = target.Inbox! };
            foreach (var levels in names.Order(StringComparer.Ordinal).Select(n => n.Split('/')))
            {
                var folder = target.GetFolder(target.PersonalNamespaces[0]);
                for (var depth = 1; depth <= levels.Length; depth++)
                {
                    var path = string.Join('/', levels.Take(depth));
                    folder = made.TryGetValue(path, out var known) ? known : made[path] = (await folder.CreateAsync(levels[depth - 1], isMessageFolder: true))!;
                }
            }
        }

        var pending = new Queue<string>(names);
        await Task.WhenAll(Enumerable.Range(0, isBatched ? Connections : 1).Select(_ => WorkAsync()));

        async Task WorkAsync()
        {
            using var source = await ConnectAsync(from);
            using var target = to is null ? null : await ConnectAsync(to);
            while (true)
            {
                string? name;
                lock (pending)
                {
                    if (!pending.TryDequeue(out name))
                        return;
                }

                await CopyFolderAsync(await source.GetFolderAsync(name), target is null ? null : await target.GetFolderAsync(name));
            }
        }
    }

    private async Task CopyFolderAsync(IMailFolder source, IMailFolder? target)
    {
        await source.OpenAsync(FolderAccess.ReadOnly);
        var directory = maildir is null ? "" : Path.Combine(maildir, source.FullName);
        if (maildir is not null)
        {
            foreach (var part in (string[])["cur", "new", "tmp"])
                Directory.CreateDirectory(Path.Combine(directory, part));
        }

        if (source.Count == 0)
            return;
        var listed = await source.FetchAsync(
            0, -1, MessageSummaryItems.UniqueId | MessageSummaryItems.Flags | MessageSummaryItems.InternalDate | (isBatched ? MessageSummaryItems.Size : MessageSummaryItems.None));
        if (!isBatched)
        {
            foreach (var message in listed)
                await TryAsync(async () => await StoreAsync(target, directory, [(message, await source.GetMessageAsync(message.UniqueId), [])]));
            return;
        }

        // The next batch is fetched while the current one is stored.
        var batches = Channel.CreateBounded<List<(IMessageSummary, MimeMessage?, byte[])>>(1);
        await Task.WhenAll(FetchAllAsync(), StoreAllAsync());

        async Task FetchAllAsync()
        {
            try
            {
                foreach (var batch in Batches(listed))
                    await batches.Writer.WriteAsync(await FetchAsync((ImapFolder)source, batch, isParsed: target is not null));
            }
            finally
            {
                batches.Writer.Complete();
            }
        }

        async Task StoreAllAsync()
        {
            await foreach (var batch in batches.Reader.ReadAllAsync())
            {
                if (batch.Count > 1 && await SucceedsAsync(() => StoreAsync(target, directory, batch)))
                    continue;
                foreach (var message in batch)
                    await TryAsync(() => StoreAsync(target, directory, [message]));
            }
        }
    }

    private async Task<List<(IMessageSummary, MimeMessage?, byte[])>> FetchAsync(ImapFolder source, List<IMessageSummary> batch, bool isParsed)
    {
        var known = batch.ToDictionary(m => m.UniqueId);
        var fetched = new List<(IMessageSummary, MimeMessage?, byte[])>();
        await source.GetStreamsAsync([.. known.Keys], async (_, _, uid, stream, cancellationToken) =>
        {
            var octets = new byte[stream.Length];
            await stream.ReadExactlyAsync(octets, cancellationToken);
            await TryAsync(() =>
            {
                fetched.Add((known[uid], !isParsed ? null : OctetEntity.TryRead(octets) ?? MimeMessage.Load(new MemoryStream(octets), cancellationToken), octets));
                return Task.CompletedTask;
            });
        });
        return fetched;
    }

    private static IEnumerable<List<IMessageSummary>> Batches(IList<IMessageSummary> listed)
    {
        var (batch, bytes) = (new List<IMessageSummary>(), 0L);
        foreach (var message in listed)
        {
            if (batch.Count == BatchMessages || (batch.Count > 0 && bytes + message.Size > BatchBytes))
            {
                yield return batch;
                (batch, bytes) = ([], 0);
            }

            batch.Add(message);
            bytes += message.Size ?? 0;
        }

        if (batch.Count > 0)
            yield return batch;
    }

    private static async Task StoreAsync(IMailFolder? target, string directory, List<(IMessageSummary Summary, MimeMessage? Message, byte[] Octets)> messages)
    {
        if (target is null)
        {
            foreach (var (summary, message, octets) in messages)
                await WriteAsync(directory, summary, message, octets);
            return;
        }

        var requests = messages.ConvertAll(m => (IAppendRequest)new AppendRequest(m.Message!, m.Summary.Flags ?? MessageFlags.None, m.Summary.Keywords, m.Summary.InternalDate!.Value));
        if (requests.Count == 1)
            await target.AppendAsync(requests[0]);
        else
            await target.AppendAsync(requests);
    }

    /// <summary>Writes a message with LF line ends to a file in tmp, sets the file's date, and moves it to cur.</summary>
    private static async Task WriteAsync(string directory, IMessageSummary summary, MimeMessage? message, byte[] octets)
    {
        var name = $"{summary.InternalDate!.Value.ToUnixTimeSeconds()}.U{summary.UniqueId.Id}.bench";
        var temporary = Path.Combine(directory, "tmp", name);
        await using (var file = File.Create(temporary))
        {
            if (message is not null)
                await message.WriteToAsync(OnDisk, file);
            else
                await file.WriteAsync(WithoutCr(octets));
        }

        File.SetLastWriteTimeUtc(temporary, summary.InternalDate.Value.UtcDateTime);
        File.Move(temporary, Path.Combine(directory, "cur", $"{name}:2,{Letters(summary.Flags ?? MessageFlags.None)}"));
    }

    private static ReadOnlyMemory<byte> WithoutCr(byte[] octets)
    {
        var at = 0;
        for (var i = 0; i < octets.Length; i++)
        {
            if (octets[i] != '\r' || i + 1 == octets.Length || octets[i + 1] != '\n')
                octets[at++] = octets[i];
        }

        return octets.AsMemory(0, at);
    }

    private static string Letters(MessageFlags flags) => string.Concat(
        new[] { (MessageFlags.Draft, 'D'), (MessageFlags.Flagged, 'F'), (MessageFlags.Answered, 'R'), (MessageFlags.Seen, 'S'), (MessageFlags.Deleted, 'T') }
            .Where(f => (flags & f.Item1) != MessageFlags.None).Select(f => f.Item2));

    private async Task TryAsync(Func<Task> copy)
    {
        if (!await SucceedsAsync(copy))
            failed++;
    }

    private static async Task<bool> SucceedsAsync(Func<Task> copy)
    {
        try
        {
            await copy();
            return true;
        }
        catch (Exception e) when (e is FormatException or CommandException or MessageNotFoundException)
        {
            return false;
        }
    }

    private static FormatOptions OnDiskOptions()
    {
        var options = FormatOptions.Default.Clone();
        options.NewLineFormat = NewLineFormat.Unix;
        return options;
    }

    private static async Task<ImapClient> ConnectAsync(Account account)
    {
        var client = new ImapClient();
        await client.ConnectAsync("127.0.0.1", account.Port, SecureSocketOptions.None);
        await client.AuthenticateAsync(account.User, account.Password);
        return client;
    }
}
