using System.Buffers;
using System.IO.Pipelines;
using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Serving.Mime;

namespace Imapsync.Serving.Mailboxes;

/// <summary>
/// Reads messages of an open folder, whole or in ranges. A small message is kept in memory. A long one is streamed: reading goes on where
/// the previous range ended, and starts again only for a range that begins earlier.
/// </summary>
internal sealed class MessageReader(IMessageFolder? folder, ServingLimits limits) : IAsyncDisposable
{
    private IAsyncEnumerator<IncomingMessage>? reading;
    private byte[]? held;
    private Uid uid;
    private long length;
    private long position;
    private BodyPart? structure;
    private Uid structureOf;

    /// <summary>Makes a message the current one.</summary>
    /// <returns>The message's length; null if the message is gone.</returns>
    /// <exception cref="MailException">The message can't be read.</exception>
    public async ValueTask<long?> OpenAsync(MessageInfo message, CancellationToken cancellationToken)
    {
        if (uid == message.Uid && (held is not null || reading is not null))
            return length;
        await CloseAsync();
        if (folder is null)
            return null;
        reading = folder.ReadAsync([message], cancellationToken).GetAsyncEnumerator(cancellationToken);
        if (!await reading.MoveNextAsync())
        {
            await CloseAsync();
            return null;
        }

        if (reading.Current.Failure is { } failure)
        {
            await CloseAsync();
            throw failure;
        }

        (uid, length, position) = (message.Uid, reading.Current.Length, 0);
        if (length > limits.HeldMessageBytes)
            return length;
        var octets = await ReadAsync(message, 0, length, cancellationToken);
        await CloseAsync();
        (held, uid, length) = (octets, message.Uid, octets.Length);
        return length;
    }

    /// <summary>Parses the current message into its parts.</summary>
    public async ValueTask<BodyPart> ScanAsync(MessageInfo message, CancellationToken cancellationToken)
    {
        if (structure is not null && structureOf == message.Uid)
            return structure;
        using var scanner = new StructureScanner(limits);
        if (held is not null)
            scanner.Feed(held);
        else
            await ReadAsync(message, 0, length, (piece, _) => { scanner.Feed(piece.Span); return ValueTask.CompletedTask; }, cancellationToken);
        (structure, structureOf) = (scanner.Finish(), message.Uid);
        return structure;
    }

    /// <summary>Passes on a range of the current message's octets.</summary>
    /// <exception cref="MailException">Reading failed, or the message is gone.</exception>
    public async ValueTask ReadAsync(MessageInfo message, long start, long count, Func<ReadOnlyMemory<byte>, long, ValueTask> onPiece, CancellationToken cancellationToken)
    {
        if (count == 0)
            return;
        if (held is null && position > start)
        {
            await CloseAsync();
            if (await OpenAsync(message, cancellationToken) is null)
                throw new MailException(FailureScope.Message, isTransient: false, "the message is gone") { Kind = FailureKind.Gone };
        }

        if (held is not null)
        {
            await onPiece(held.AsMemory((int)start, (int)count), 0);
            return;
        }

        var body = reading!.Current.Body;
        while (count > 0)
        {
            var result = await body.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            if (buffer.IsEmpty && result.IsCompleted)
                throw new MailException(FailureScope.Message, isTransient: false, "the message is shorter than it was");
            var skipped = Math.Min(buffer.Length, start - position);
            var taken = buffer.Slice(skipped, Math.Min(buffer.Length - skipped, count));
            long at = 0;
            try
            {
                foreach (var piece in taken)
                {
                    await onPiece(piece, at);
                    at += piece.Length;
                }
            }
            finally
            {
                body.AdvanceTo(taken.End);
            }

            position += skipped + taken.Length;
            start += taken.Length;
            count -= taken.Length;
        }
    }

    /// <summary>Reads a range of the current message's octets into memory.</summary>
    /// <exception cref="MailException">Reading failed, or the message is gone.</exception>
    public async ValueTask<byte[]> ReadAsync(MessageInfo message, long start, long count, CancellationToken cancellationToken)
    {
        var octets = new byte[count];
        var at = 0;
        await ReadAsync(message, start, count, (piece, _) =>
        {
            piece.CopyTo(octets.AsMemory(at));
            at += piece.Length;
            return ValueTask.CompletedTask;
        }, cancellationToken);
        return octets;
    }

    public ValueTask DisposeAsync() => CloseAsync();

    private async ValueTask CloseAsync()
    {
        held = null;
        uid = Uid.None;
        position = 0;
        if (reading is not null)
            await reading.DisposeAsync();
        reading = null;
    }
}
