namespace Imapsync.Tests.Support;

/// <summary>Tells which octets of a TLS stream are inside a record and which belong to a record's header (RFC 8446 §5.1).</summary>
internal sealed class TlsRecords
{
    private const int HeaderBytes = 5;

    private int headerSeen;
    private int length;
    private int left;

    /// <summary>Advances over these octets.</summary>
    /// <param name="skip">How many octets at the beginning to leave out.</param>
    /// <returns>The index of the first octet after the skipped ones that is inside a record; -1 if there is none.</returns>
    public int Advance(ReadOnlySpan<byte> octets, long skip)
    {
        var found = -1;
        for (var i = 0; i < octets.Length; i++)
        {
            if (left > 0)
            {
                left--;
                if (found < 0 && i >= skip)
                    found = i;
                continue;
            }

            length = (length << 8) | octets[i];
            if (++headerSeen < HeaderBytes)
                continue;
            (left, headerSeen, length) = (length & 0xffff, 0, 0);
        }

        return found;
    }
}
