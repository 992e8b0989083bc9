using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Serving.Mailboxes;

namespace Imapsync.Serving.Finding;

/// <summary>
/// An index of the words in a backup's messages. It only says which messages can't match a search; the search reads all others, including
/// those that the index lacks. So an incomplete index makes a search slower, but never changes its results.
/// </summary>
/// <param name="directory">The index's directory, with one file for each folder. It is created when there is something to write.</param>
/// <param name="onNote">Called with the reason if the index can't be kept up to date.</param>
public sealed class BackupIndex(string directory, Action<string> onNote, ServingLimits? limits = null) : IDisposable
{
    private readonly ServingLimits limits = limits ?? ServingLimits.Default;
    private FileStream? writing;
    private bool isReadOnly;

    /// <summary>Adds the backup's messages that the index lacks, and removes folders that no longer exist.</summary>
    /// <param name="onProgress">Called with how many of a folder's missing messages were read so far, and how many there are.</param>
    /// <exception cref="MailException">A folder can't be read.</exception>
    public async Task UpdateAsync(IMessageStore store, Action<long, long> onProgress, CancellationToken cancellationToken)
    {
        var files = new HashSet<string>();
        foreach (var entry in (await store.ListFoldersAsync(cancellationToken)).Where(f => f.HoldsMessages).OrderBy(f => f.Path))
        {
            files.Add(FileOf(entry.Path));
            await using var folder = await store.OpenAsync(entry.Path, cancellationToken);
            var listing = await folder.ListAsync(new ListRequest(WithDateAndSize: true), cancellationToken).ToListAsync(cancellationToken);
            (await OpenAsync(folder, listing, onProgress, cancellationToken))?.Dispose();
        }

        if (TryLock())
            Try(() => Directory.EnumerateFiles(directory, "*.words").Where(f => !files.Contains(f)).ToList().ForEach(File.Delete));
    }

    /// <summary>Brings a folder's index up to date, then returns the folder's messages that can't match the query.</summary>
    internal async Task<IReadOnlySet<Uid>> FindUnfitAsync(
        IMessageFolder folder, IReadOnlyList<MessageInfo> listing, FindQuery query, Action<long, long> onProgress, CancellationToken cancellationToken)
    {
        using var index = await OpenAsync(folder, listing, onProgress, cancellationToken);
        if (index is null)
            return new HashSet<Uid>();
        // A large index takes a while to search, so this is done on another thread.
        var unfit = await Task.Run(() => Try(() => index.FindUnfit(query)), cancellationToken) ?? new HashSet<Uid>();
        return unfit.Count == 0 ? unfit : listing.Where(m => unfit.Contains(m.Uid) && index.Has(m)).Select(m => m.Uid).ToHashSet();
    }

    public void Dispose() => writing?.Dispose();

    /// <summary>Opens the folder's index and brings it up to date if possible; null if there is no index.</summary>
    private async Task<FolderIndex?> OpenAsync(
        IMessageFolder folder, IReadOnlyList<MessageInfo> listing, Action<long, long> onProgress, CancellationToken cancellationToken)
    {
        var validity = folder.Status.UidValidity;
        if (validity.IsNone)
            return null;
        var path = FileOf(folder.Path);
        var isOurs = TryLock();
        var index = Try(() => FolderIndex.Open(path, validity, isOurs));
        if (!isOurs)
            return index;
        var lacks = index is null ? listing : [.. listing.Where(m => !index.Has(m))];
        if (index is not null && index.AddedCount > 2L * (listing.Count + 500))
        {
            // Most of the index describes messages that are gone, so it is rebuilt.
            index.Dispose();
            (index, lacks) = (null, listing);
        }

        if (lacks.Count == 0)
            return index;
        index ??= Try(() => FolderIndex.Create(path, validity));
        try
        {
            if (index is not null)
                await index.AddAsync(ReadAsync(folder, lacks, onProgress, cancellationToken), cancellationToken);
            return index;
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            GiveUp(e);
            return index;
        }
        catch
        {
            index?.Dispose();
            throw;
        }
    }

    private async IAsyncEnumerable<(MessageInfo, MessageTexts)> ReadAsync(
        IMessageFolder folder, IReadOnlyList<MessageInfo> messages, Action<long, long> onProgress, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var reader = new MessageReader(folder, limits);
        for (var i = 0; i < messages.Count; i++)
        {
            onProgress(i, messages.Count);
            MessageTexts? texts = null;
            try
            {
                texts = await MessageTexts.ReadAsync(new OpenedMail(reader, messages[i], limits), cancellationToken);
            }
            catch (MailException)
            {
                // Leave this message out of the index. A search reads every message that the index lacks, and will
                // report this one as unreadable.
            }

            if (texts is not null)
                yield return (messages[i], texts);
        }

        onProgress(messages.Count, messages.Count);
    }

    /// <summary>Takes the write lock: one process writes the index, others only read it.</summary>
    private bool TryLock()
    {
        if (writing is not null || isReadOnly)
            return writing is not null;
        try
        {
            DurableFiles.CreateForOwner(directory);
            writing = new FileStream(Path.Combine(directory, "lock"), DurableFiles.ForOwner(FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            GiveUp(e);
        }

        return writing is not null;
    }

    private T? Try<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            GiveUp(e);
            return default;
        }
    }

    private void Try(Action work) => Try(() =>
    {
        work();
        return true;
    });

    private void GiveUp(Exception e)
    {
        if (!isReadOnly)
            onNote($"the index {directory} can't be kept up to date: {FileErrors.Explain(e)}");
        isReadOnly = true;
        writing?.Dispose();
        writing = null;
    }

    /// <summary>The file is named by a digest of the folder's name, since the name came from a server and may be unsafe.</summary>
    private string FileOf(FolderPath path) =>
        Path.Combine(directory, Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(path.ToString().AsSpan())).AsSpan(0, 16)) + ".words");
}
