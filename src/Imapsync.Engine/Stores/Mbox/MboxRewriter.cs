using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// Writes a new version of an mbox, with other flags or without some messages, to a file beside it. Unchanged messages keep their octets on
/// disk. Text between messages (UW's pseudo message) is kept without empty lines.
/// </summary>
internal sealed class MboxRewriter(SafeFileHandle old, SafeFileHandle target) : IDisposable
{
    private readonly MboxInput input = new(old);
    private readonly MboxOutput output = new(target, 0, static (_, _) => { }, static _ => ValueTask.CompletedTask);

    /// <param name="edit">Returns the message with its new flags; null to leave it out.</param>
    /// <returns>The records of the new file, synced to disk, in ascending order of UID.</returns>
    public async Task<List<MboxRecord>> WriteAsync(IReadOnlyList<MboxRecord> records, Func<MboxRecord, MboxRecord?> edit, CancellationToken cancellationToken)
    {
        var written = new List<MboxRecord>(records.Count);
        long position = 0;
        foreach (var record in records.OrderBy(r => r.Offset))
        {
            await CopyGapAsync(position, record.Offset, cancellationToken);
            position = record.Offset + record.Length;
            if (edit(record) is not { } edited)
                continue;
            var asItIs = edited.Flags.Equals(record.Flags) && await EndsInLineEndAsync(record, cancellationToken);
            written.Add(asItIs ? await CopyAsync(record, cancellationToken) : await EncodeAsync(record, edited.Flags, cancellationToken));
        }

        await CopyGapAsync(position, input.Length, cancellationToken);
        await output.FlushAsync(cancellationToken);
        RandomAccess.FlushToDisk(target);
        written.Sort((a, b) => a.Uid.CompareTo(b.Uid));
        return written;
    }

    public void Dispose()
    {
        input.Dispose();
        output.Dispose();
    }

    private async Task<MboxRecord> CopyAsync(MboxRecord record, CancellationToken cancellationToken)
    {
        var offset = output.Position;
        await CopyRangeAsync(record.Offset, record.Offset + record.Length, cancellationToken);
        await output.WriteRawAsync("\n"u8.ToArray(), cancellationToken);
        return record with { Offset = offset };
    }

    private async Task<MboxRecord> EncodeAsync(MboxRecord record, FlagSet flags, CancellationToken cancellationToken)
    {
        using var message = new MboxMessage(input, record);
        await message.StartAsync(cancellationToken);
        output.Begin(message.PostmarkWithoutForm, record.Octets, flags);
        while (await message.DecodeAsync(cancellationToken))
        {
            await output.WriteAsync(message.Decoded.Written, cancellationToken);
            message.Decoded.Clear();
        }

        var written = await output.EndAsync(record.Uid, record.Date, flags, cancellationToken);
        return written.Digest == record.Digest && written.Octets == record.Octets
            ? written
            : throw new MailException(FailureScope.Folder, isTransient: true, $"message {record.Uid} is no longer what the index says; nothing was changed");
    }

    private async Task<bool> EndsInLineEndAsync(MboxRecord record, CancellationToken cancellationToken) =>
        (await input.GetAsync(record.Offset + record.Length - 1, 1, cancellationToken)).Span is [(byte)'\n', ..];

    private async Task CopyGapAsync(long from, long to, CancellationToken cancellationToken)
    {
        while (from < to)
        {
            var octets = await input.GetAsync(from, 1, cancellationToken);
            if (octets.IsEmpty)
                return;
            octets = octets[..(int)Math.Min(octets.Length, to - from)];
            var text = octets.Span.IndexOfAnyExcept((byte)'\r', (byte)'\n');
            if (text >= 0)
            {
                await CopyRangeAsync(from + text, to, cancellationToken);
                return;
            }

            from += octets.Length;
        }
    }

    private async Task CopyRangeAsync(long from, long to, CancellationToken cancellationToken)
    {
        while (from < to)
        {
            var octets = await input.GetAsync(from, 1, cancellationToken);
            if (octets.IsEmpty)
                throw new MailException(FailureScope.Folder, isTransient: true, "the mbox got shorter while it was read");
            octets = octets[..(int)Math.Min(octets.Length, to - from)];
            await output.WriteRawAsync(octets, cancellationToken);
            from += octets.Length;
        }
    }
}
