using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>The result of comparing an mbox with its index.</summary>
/// <param name="State">The messages in the file, without torn ones. Its UIDVALIDITY is none if some messages have no lasting UIDs.</param>
/// <param name="IsIndexed">Whether the index describes the file as it is now.</param>
/// <param name="Torn">The offset and length of each message that an interrupted writer of this program left unfinished.</param>
internal sealed record MboxFindings(
    MboxIndex Index, MboxState State, bool IsIndexed, IReadOnlyList<(long Offset, long Length)> Torn, MboxVariants Variants)
{
    private const int ReadingAttempts = 3;

    /// <summary>Descriptions of the offsets where it is unclear whether a message begins; see <see cref="MboxScanner.Doubts"/>.</summary>
    public IReadOnlyList<string> Doubts { get; init; } = [];

    /// <inheritdoc cref="MboxScanner.Expunged"/>
    public int Expunged { get; init; }

    public static Task<MboxFindings> ReadAsync(string path, SafeFileHandle mbox, CancellationToken cancellationToken) =>
        ReadWithAsync(path + FileNames.IndexSuffix, mbox, cancellationToken);

    /// <param name="indexPath">The path of the index, beside the mbox or elsewhere.</param>
    public static async Task<MboxFindings> ReadWithAsync(string indexPath, SafeFileHandle mbox, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var stamp = MboxStamp.Of(mbox);
            var index = await MboxIndex.LoadAsync(indexPath, cancellationToken);
            if (index.Condition == IndexCondition.Good && index.Interrupted is null && index.Stamp == stamp
                && index.Records.All(r => r.Offset + r.Length <= stamp.Length))
                return new MboxFindings(index, new MboxState(index.Validity, index.UidNext, [.. index.Records], stamp), true, [], MboxVariants.None);
            var found = await ScanAsync(index, mbox, stamp, cancellationToken);
            if (MboxStamp.Of(mbox) == stamp || attempt == ReadingAttempts)
                return found;
        }
    }

    /// <summary>
    /// Reads the whole file and matches its messages by their contents to those in the index, so that they keep their UIDs.
    /// </summary>
    public static async Task<MboxFindings> ScanAsync(MboxIndex index, SafeFileHandle mbox, MboxStamp stamp, CancellationToken cancellationToken)
    {
        var isUsable = index.Condition == IndexCondition.Good;
        var known = new Dictionary<long, MboxRecord>();
        foreach (var record in isUsable ? index.Records : [])
            known[record.Offset] = record;
        using var input = new MboxInput(mbox);
        var begun = isUsable && index.Interrupted is { } window ? await window.FindStartsAsync(input, cancellationToken) : [];
        using var scanner = new MboxScanner(input, stamp, known.GetValueOrDefault, begun);
        await scanner.ScanAsync(cancellationToken);
        var torn = new List<(long Offset, long Length)>();
        var whole = new List<MboxRecord>();
        foreach (var message in scanner.Messages)
        {
            if (!begun.Contains(message.Record.Offset) || !IsTorn(message, index.Interrupted!))
                whole.Add(message.Record);
            else
                torn.Add((message.Record.Offset, await TornLengthAsync(input, message, cancellationToken)));
        }

        var (records, next, made) = MboxMatch.Match(whole, isUsable ? index : null);
        var validity = isUsable && made == 0 ? index.Validity : UidValidity.None;
        return new MboxFindings(index, new MboxState(validity, next, records, stamp) { LastingValidity = isUsable ? index.Validity : UidValidity.None }, IsIndexed: false, torn, scanner.Variants)
        {
            Doubts = scanner.Doubts,
            Expunged = scanner.Expunged,
        };
    }

    private static bool IsTorn(ScannedMessage message, InterruptedWindow window) =>
        !message.IsClosed || message.Record.Octets != window.Begun[message.Record.Offset].Octets;

    /// <summary>
    /// Returns the length of a torn message. Mail delivered later begins inside the torn message's last line. So the torn message ends at a
    /// postmark inside a line. Quoted postmarks (after a run of &gt;) don't count.
    /// </summary>
    private static async Task<long> TornLengthAsync(MboxInput input, ScannedMessage message, CancellationToken cancellationToken)
    {
        var start = message.Record.Offset;
        for (var position = start + 1; position < message.End;)
        {
            var block = await input.GetAsync(position, Postmark.MaxLength, cancellationToken);
            var at = block.Span.IndexOf("From "u8);
            if (at < 0)
            {
                position += Math.Max(1, block.Length - 4);
                continue;
            }

            position += at;
            if (position >= message.End)
                break;
            var before = (await input.GetAsync(position - 1, 1, cancellationToken)).Span[0];
            if (before is not ((byte)'>' or (byte)'\n') && await input.GetLineAsync(position, Postmark.MaxLength, cancellationToken) is { } line
                && Postmark.TryParse(line.Span, out _))
                return position - start;
            position++;
        }

        return message.End - start;
    }
}
