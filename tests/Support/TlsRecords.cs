namespace Imapsync.Tests.Support;

/// <summary>Follows a TLS stream and knows which octets are inside a record and which are its header (RFC 8446 §5.1).</summary>
internal sealed class TlsRecords
{
    private const int HeaderBytes = 5;

    private int headerSeen;
    private int length;
    private int left;

    /// <summary>Goes on by these octets.</summary>
    /// <param name="skip">Octets at the beginning that don't count.</param>
    /// <returns>The index of the first one that counts and is inside a record; -1 where there is none.</returns>
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
