using System.Buffers;
using System.Threading.Channels;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>A message that has been written completely to tmp/ and has no final name yet.</summary>
internal readonly record struct TemporaryMessage(Uid Source, FlagSet Flags, string TemporaryName, WrittenBody Body)
{
    public string UniqueName => MaildirName.WithFields(TemporaryName, Body.BytesOnDisk, Body.BytesWithCrlf, Body.IsVerbatim);
}

/// <summary>
/// Writes a batch of appended messages to tmp/. Small messages are buffered and written by a few tasks. Large messages are streamed
/// straight into their files. Disposal removes the files unless <see cref="HandOver"/> was called.
/// </summary>
internal sealed class DeliveryWindow : IAsyncDisposable
{
    private const int SmallBytes = 128 * 1024;

    // Bounds the memory: at most this many bodies wait in the queue, and each writer holds one more.
    private const int MaxWaiting = 16;
    private readonly string tmpDirectory;
    private readonly DeliveryNames names;
    private readonly Channel<SmallBody> small = Channel.CreateBounded<SmallBody>(new BoundedChannelOptions(MaxWaiting) { SingleWriter = true });
    private static readonly int MostWriters = Math.Clamp(Environment.ProcessorCount, 2, 4);
    private readonly List<Task> writers = [];
    private readonly List<string> temporaryNames = [];
    private readonly Lock writtenLock = new();
    private readonly List<(int Order, TemporaryMessage Message)> written = [];

    private readonly record struct SmallBody(
        (int Order, string Name) Place, Uid Source, FlagSet Flags, DateTimeOffset Date, IMemoryOwner<byte> Held, int Length);

    public DeliveryWindow(string tmpDirectory, DeliveryNames names) => (this.tmpDirectory, this.names) = (tmpDirectory, names);

    /// <summary>Accepts a message; false when the body does not have the announced length.</summary>
    public async ValueTask<bool> TakeAsync(IncomingMessage message, CancellationToken cancellationToken)
    {
        if (message.TakeHeld() is { } held)
            return await HandOnAsync(message, held, cancellationToken);
        return message.Length switch
        {
            < 0 => false,
            <= SmallBytes => await TakeSmallAsync(message, cancellationToken),
            _ => await TakeLargeAsync(message, cancellationToken),
        };
    }

    /// <summary>Waits until all accepted messages are in tmp/, and returns them in the order in which they were accepted.</summary>
    public async Task<IReadOnlyList<TemporaryMessage>> CompleteAsync()
    {
        small.Writer.TryComplete();
        await Task.WhenAll(writers);
        return [.. written.OrderBy(w => w.Order).Select(w => w.Message)];
    }

    /// <summary>Removes the files that are still in tmp/.</summary>
    public async ValueTask DisposeAsync()
    {
        small.Writer.TryComplete();
        await Task.WhenAll(writers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (small.Reader.TryRead(out var job))
            job.Held.Dispose();
        LocalFiles.TryDelete(temporaryNames.Select(PathOf));
    }

    /// <summary>Records that the messages have been moved out of tmp/ to their final names, so that disposal removes nothing.</summary>
    public void HandOver() => temporaryNames.Clear();

    public string PathOf(string temporaryName) => Path.Combine(tmpDirectory, temporaryName);

    private async ValueTask<bool> TakeSmallAsync(IncomingMessage message, CancellationToken cancellationToken)
    {
        var copy = MemoryPool<byte>.Shared.Rent((int)message.Length);
        var isWhole = false;
        try
        {
            isWhole = await BodyReading.ReadExactlyAsync(message.Body, copy.Memory[..(int)message.Length], cancellationToken);
        }
        finally
        {
            if (!isWhole)
                copy.Dispose();
        }

        return isWhole && await HandOnAsync(message, copy, cancellationToken);
    }

    /// <summary>Queues a body for the writers. They dispose it.</summary>
    private async ValueTask<bool> HandOnAsync(IncomingMessage message, IMemoryOwner<byte> held, CancellationToken cancellationToken)
    {
        var isHandedOn = false;
        try
        {
            var job = new SmallBody(NextName(), message.Uid, message.Info.Flags, message.Info.InternalDate, held, (int)message.Length);
            while (!(isHandedOn = small.Writer.TryWrite(job)))
            {
                // Waiting returns false once a writer has failed; the writer's exception is thrown when the writers are awaited.
                if (!await small.Writer.WaitToWriteAsync(cancellationToken))
                    await Task.WhenAll(writers);
            }

            // One more writer is started if bodies arrive faster than the present ones write them.
            if (writers.Count < MostWriters && small.Reader.Count > writers.Count)
                writers.Add(Task.Run(WriteSmallBodiesAsync, CancellationToken.None));
            return true;
        }
        finally
        {
            if (!isHandedOn)
                held.Dispose();
        }
    }

    /// <summary>
    /// Streams a large body into its file. Read errors pass through unchanged. Write errors become a <see cref="MailException"/> of the
    /// target.
    /// </summary>
    private async ValueTask<bool> TakeLargeAsync(IncomingMessage message, CancellationToken cancellationToken)
    {
        var place = NextName();
        await using var file = LocalFiles.Guard(FailureScope.Folder, tmpDirectory, () => new StreamedBody(PathOf(place.Name)));
        var isWhole = await BodyReading.ReadExactlyAsync(
            message.Body,
            message.Length,
            async piece =>
            {
                try
                {
                    await file.AppendAsync(piece, cancellationToken);
                }
                catch (Exception e) when (FileErrors.Is(e))
                {
                    throw LocalFiles.Failure(e, FailureScope.Folder, tmpDirectory);
                }
            },
            cancellationToken);
        if (!isWhole)
            return false;
        try
        {
            var body = await file.FinishAsync(message.Info.InternalDate, cancellationToken);
            Keep(place.Order, new TemporaryMessage(message.Uid, message.Info.Flags, place.Name, body));
            return true;
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw LocalFiles.Failure(e, FailureScope.Folder, tmpDirectory);
        }
    }

    private (int Order, string Name) NextName()
    {
        temporaryNames.Add(names.Next());
        return (temporaryNames.Count, temporaryNames[^1]);
    }

    private void Keep(int order, TemporaryMessage message)
    {
        lock (writtenLock)
            written.Add((order, message));
    }

    private async Task WriteSmallBodiesAsync()
    {
        try
        {
            await foreach (var job in small.Reader.ReadAllAsync())
            {
                try
                {
                    var body = BodyFile.Write(PathOf(job.Place.Name), job.Held.Memory.Span[..job.Length], job.Date);
                    Keep(job.Place.Order, new TemporaryMessage(job.Source, job.Flags, job.Place.Name, body));
                }
                finally
                {
                    job.Held.Dispose();
                }
            }
        }
        catch (Exception e)
        {
            // A failed writer closes the queue, so that the other writers end and the failure is seen when the next body is added.
            small.Writer.TryComplete();
            throw FileErrors.Is(e) ? LocalFiles.Failure(e, FailureScope.Folder, tmpDirectory) : e;
        }
    }
}
