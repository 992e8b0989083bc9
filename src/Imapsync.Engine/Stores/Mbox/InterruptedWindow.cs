
namespace Imapsync.Engine.Stores.Mbox;

/// <param name="Begun">The window's messages by the offsets at which their writing was announced.</param>
internal sealed record InterruptedWindow(long Offset, Dictionary<long, BegunMessage> Begun)
{
    /// <summary>
    /// Finds where this program's messages really begin in the file, in ascending order: where their postmark was written, or a part of it
    /// with nothing after it but mail delivered later. At the other announced offsets the writer had not begun, and the file may hold other
    /// programs' mail there.
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

/// <param name="Octets">How many octets the message was to have.</param> <param name="Postmark">Without its LF.</param>
internal readonly record struct BegunMessage(long Octets, string Postmark);
