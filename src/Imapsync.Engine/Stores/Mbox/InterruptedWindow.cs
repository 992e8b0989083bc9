
namespace Imapsync.Engine.Stores.Mbox;

/// <summary>The last window (batch of appended messages) in an index, if its writer was interrupted before completing it.</summary>
/// <param name="Offset">The offset in the mbox at which the window begins.</param>
/// <param name="Begun">The window's messages that the index announces, by the offsets at which they were to begin.</param>
internal sealed record InterruptedWindow(long Offset, Dictionary<long, BegunMessage> Begun)
{
    /// <summary>
    /// Returns the offsets at which this program really began to write a message, in ascending order. There the file has the message's
    /// postmark. If only a part of the postmark was written, the file's end or a later delivery's postmark follows it. At other announced
    /// offsets, the file may have other programs' mail.
    /// </summary>
    public async Task<IReadOnlyList<long>> FindStartsAsync(MboxInput input, CancellationToken cancellationToken)
    {
        var starts = new List<long>();
        foreach (var (offset, begun) in Begun.OrderBy(b => b.Key))
        {
            var octets = await input.GetAsync(offset, 2 * Postmark.MaxLength, cancellationToken);
            if (IsBegun(octets.Span, System.Text.Encoding.ASCII.GetBytes(begun.Postmark)))
                starts.Add(offset);
        }

        return starts;
    }

    private static bool IsBegun(ReadOnlySpan<byte> octets, ReadOnlySpan<byte> postmark)
    {
        var written = octets.CommonPrefixLength(postmark);
        if (written == postmark.Length)
            return true;
        if (written > 0 && written == octets.Length)
            return true;
        for (var length = 1; length <= written; length++)
        {
            var line = octets[length..];
            var end = line.IndexOf((byte)'\n');
            if (end >= 0 && Postmark.TryParse(line[..end], out _))
                return true;
        }

        return false;
    }
}

/// <param name="Octets">The message's length in octets, as announced.</param> <param name="Postmark">The postmark without its LF.</param>
internal readonly record struct BegunMessage(long Octets, string Postmark);
