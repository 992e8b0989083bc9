namespace Imapsync.Engine.Stores.LineEnds;

/// <summary>Inserts a CR before each LF that has none, in a message given in pieces.</summary>
public struct LfToCrlf
{
    private const byte CR = (byte)'\r';
    private const byte LF = (byte)'\n';
    private bool lastWasCr;

    /// <summary>Converts as much as fits into the target; twice the length of the source is always enough.</summary>
    /// <param name="consumed">Octets of the source that were converted; the rest has to be passed again.</param>
    /// <param name="written">Octets of the target that were filled.</param>
    public void Convert(ReadOnlySpan<byte> source, Span<byte> target, out int consumed, out int written)
    {
        consumed = 0;
        written = 0;
        while (consumed < source.Length && written < target.Length)
        {
            var rest = source[consumed..];
            var lf = rest.IndexOf(LF);
            var plain = Math.Min(lf < 0 ? rest.Length : lf, target.Length - written);
            if (plain > 0)
            {
                rest[..plain].CopyTo(target[written..]);
                lastWasCr = rest[plain - 1] == CR;
                consumed += plain;
                written += plain;
            }

            if (plain != lf)
                continue;
            var needed = lastWasCr ? 1 : 2;
            if (target.Length - written < needed)
                return;
            if (!lastWasCr)
                target[written++] = CR;
            target[written++] = LF;
            consumed++;
            lastWasCr = false;
        }
    }
}
