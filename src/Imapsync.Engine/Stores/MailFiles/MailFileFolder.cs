using System.Runtime.CompilerServices;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.MailFiles;

/// <summary>
/// A folder of messages in files, open for reading: a snapshot of the files found when it was opened. UIDs are remembered by name in the job's
/// state.
/// </summary>
internal sealed class MailFileFolder : IMessageFolder
{
    private readonly IMailTree tree;
    private readonly SortedDictionary<Uid, FiledMessage> messages = [];

    private MailFileFolder(FolderPath path, IMailTree tree) => (Path, this.tree) = (path, tree);

    public FolderPath Path { get; }

    public FolderStatus Status { get; private set; }

    public UidValidity LastingUidValidity { get; private set; }

    public IReadOnlyDictionary<Uid, Uid> Predecessors { get; private set; } = System.Collections.Immutable.ImmutableDictionary<Uid, Uid>.Empty;

    /// <param name="place">The store's root: under another root, UIDs begin anew.</param>
    /// <param name="directories">The directories that form the folder.</param>
    public static MailFileFolder Open(FolderPath path, string place, IReadOnlyList<string> directories, IMailTree tree, StoreContext context, string display)
    {
        var folder = new MailFileFolder(path, tree);
        var leftOut = new LeftOut();
        var found = new Dictionary<string, FiledMessage>(StringComparer.Ordinal);
        foreach (var message in directories.SelectMany(d => tree.Read(d, leftOut)))
            found[message.Key] = message;
        var names = NameMemory.Open(path, place, context);
        // After a renaming of files, names don't tell which message is which, so messages are matched by their contents, as on first meeting.
        var areRenamed = names.AreRenamed(found.Values.Where(m => m.Part is null).Select(m => (m.Key, m.File)));
        if (areRenamed)
            context.OnNote($"{display}: {path}: files were renamed since the last run; messages are matched again by identity, nothing is removed");
        names.Add([.. found.Keys.Where(k => !names.Uids.ContainsName(k)).Order(StringComparer.Ordinal)]);
        // A file that was written again under its old name is another message, until its octets are proved to be the same.
        names.RenewReplaced(found.Values.Where(m => m.Part is null).Select(m => (m.Key, m.File)));
        foreach (var (key, message) in found)
        {
            if (names.Uids.TryGetUid(key, out var uid))
                folder.messages[new Uid(uid)] = message;
        }

        folder.LastingUidValidity = areRenamed ? UidValidity.None : names.Validity;
        folder.Predecessors = names.Predecessors;
        folder.Status = new FolderStatus(names.IsProvisional || areRenamed ? UidValidity.None : names.Validity, new Uid(names.Next), folder.messages.Count);
        leftOut.Tell(context, display, path);
        return folder;
    }

    public async IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (request.ChangedSince is not null)
            throw new ArgumentException("files have no HIGHESTMODSEQ", nameof(request));
        foreach (var (uid, message) in messages.Where(m => request.Uids?.Contains(m.Key) != false))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var opened = tree.Open(message);
            yield return request.WithDateAndSize ? await DescribeAsync(uid, opened, cancellationToken) : new MessageInfo(uid, opened.Flags);
        }
    }

    public Task<int> RemoveCopiedAsync(UidSet uids, CancellationToken cancellationToken) => throw new NotSupportedException("nothing is removed from this source");

    public async IAsyncEnumerable<MessageHeader> ReadHeadersAsync(UidSet uids, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var (uid, message) in messages.Where(m => uids.Contains(m.Key)))
        {
            if (await TryReadHeaderAsync(tree.Open(message), cancellationToken) is { } header)
                yield return new MessageHeader(uid, header);
        }
    }

    public async IAsyncEnumerable<IncomingMessage> ReadAsync(IEnumerable<MessageInfo> messages, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var info in messages)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!this.messages.TryGetValue(info.Uid, out var message))
                continue;
            message = tree.Open(message);
            MailFileReader? reader = null;
            var length = 0L;
            var failure = message.Damage is { } damage ? new MailException(FailureScope.Message, isTransient: false, $"{message.File}: {damage}") : null;
            try
            {
                if (failure is null)
                {
                    reader = MailFileReader.Open(message);
                    length = reader.Count();
                }
            }
            catch (FileNotFoundException)
            {
                // The file vanished after the listing.
                continue;
            }
            catch (Exception e) when (FileErrors.Is(e))
            {
                failure = LocalFiles.Failure(e, FailureScope.Message, message.File);
            }

            if (failure is null && length == 0)
                failure = new MailException(FailureScope.Message, isTransient: false, $"{message.File}: there is nothing in it");
            await using var open = reader;
            yield return failure is not null ? new IncomingMessage(info, failure) : new IncomingMessage(info, length, reader!.Body());
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static async Task<MessageInfo> DescribeAsync(Uid uid, FiledMessage message, CancellationToken cancellationToken)
    {
        try
        {
            if (message.Damage is null)
            {
                await using var reader = MailFileReader.Open(message);
                var date = message.Date ?? HeaderDate.FindArrival((await reader.HeaderAsync(cancellationToken)).Span) ?? new DateTimeOffset(File.GetLastWriteTimeUtc(message.File), TimeSpan.Zero);
                return new MessageInfo(uid, message.Flags, date, reader.Count());
            }
        }
        catch (Exception e) when (FileErrors.Is(e) && !FileErrors.IsEverywhere(e))
        {
            // A failure is ignored here; reading the message will report it.
        }

        return new MessageInfo(uid, message.Flags, message.Date ?? default);
    }

    /// <summary>Returns null when the header can't be read; the reason is reported when the message is copied.</summary>
    private static async Task<ReadOnlyMemory<byte>?> TryReadHeaderAsync(FiledMessage message, CancellationToken cancellationToken)
    {
        if (message.Damage is not null)
            return null;
        try
        {
            await using var reader = MailFileReader.Open(message);
            return await reader.HeaderAsync(cancellationToken);
        }
        catch (Exception e) when (FileErrors.Is(e) && !FileErrors.IsEverywhere(e))
        {
            return null;
        }
    }
}
