using System.Globalization;
using System.Text;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>The information that a scan needs from a message's header in the file.</summary>
internal sealed record MessageFields(long HeaderLength, FlagSet Flags, long? ContentLength, DateTimeOffset? Date, bool IsPseudoMessage, bool UsesCrLf)
{
    /// <summary>Whether Thunderbird has deleted the message. It stays in the file until Thunderbird compacts the folder.</summary>
    public bool IsExpunged { get; private init; }

    private const int MaxHeaderLines = 100_000;
    private const int MaxLineLength = 200_000;

    /// <param name="offset">The offset at which the header begins, after the postmark.</param>
    /// <param name="limit">The offset at which the file ends.</param>
    public static async ValueTask<MessageFields> ReadAsync(MboxInput input, long offset, long limit, CancellationToken cancellationToken)
    {
        var position = offset;
        var flags = FlagSet.Empty;
        long? contentLength = null;
        DateTimeOffset? date = null;
        bool isInternal = false, hasImap = false, usesCrLf = false, isExpunged = false, isAtTop = true;
        for (var lines = 0; position < limit && lines < MaxHeaderLines; lines++)
        {
            if (await input.GetLineAsync(position, MaxLineLength, cancellationToken) is not { } whole)
            {
                position = await SkipLineAsync(input, position, limit, cancellationToken);
                continue;
            }

            var line = whole.Span;
            if (line.StartsWith("From "u8) && Postmark.TryParse(line, out _))
                break;
            position += line.Length + 1;
            usesCrLf |= line.EndsWith("\r"u8);
            line = line.EndsWith("\r"u8) ? line[..^1] : line;
            if (line.IsEmpty)
                break;
            flags = FlagFields.Read(flags, line);
            // Thunderbird writes its status fields at the top of the header. Further down they are ignored, because a sender may have
            // written them.
            isExpunged |= isAtTop && FlagFields.SaysExpunged(line);
            isAtTop &= line.StartsWith("X-"u8) || line[0] is (byte)' ' or (byte)'\t';
            if (MetadataNames.IsField(line, "Content-Length"u8))
                contentLength = long.TryParse(Value(line), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
            else if (MetadataNames.IsField(line, "Date"u8))
                date ??= ReadDate(Value(line));
            isInternal |= MetadataNames.IsField(line, "Subject"u8) && line.IndexOf("FOLDER INTERNAL DATA"u8) >= 0;
            hasImap |= MetadataNames.IsField(line, "X-IMAP"u8) || MetadataNames.IsField(line, "X-IMAPbase"u8);
        }

        return new MessageFields(position - offset, flags, contentLength, date, isInternal && hasImap, usesCrLf) { IsExpunged = isExpunged };
    }

    private static async ValueTask<long> SkipLineAsync(MboxInput input, long position, long limit, CancellationToken cancellationToken)
    {
        while (position < limit)
        {
            var octets = await input.GetAsync(position, 1, cancellationToken);
            var end = octets.Span.IndexOf((byte)'\n');
            if (end >= 0)
                return position + end + 1;
            if (octets.IsEmpty)
                break;
            position += octets.Length;
        }

        return limit;
    }

    private static string Value(ReadOnlySpan<byte> line) => Encoding.Latin1.GetString(line[(line.IndexOf((byte)':') + 1)..].Trim(" \t"u8));

    private static DateTimeOffset? ReadDate(string value)
    {
        var comment = value.IndexOf('(', StringComparison.Ordinal);
        var text = comment < 0 ? value : value[..comment].TrimEnd();
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date) ? date : null;
    }
}
