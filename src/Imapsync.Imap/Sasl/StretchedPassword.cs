using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Imapsync.Imap.Sasl;

/// <summary>
/// Computes SCRAM's Hi(password, salt, i) (RFC 5802 §2.2) by one call of the system's PBKDF2, because MailKit's i single
/// HMACs are slow. MailKit combines the results of its HMACs by exclusive or. So the first HMAC here returns the whole
/// Hi, and all further ones return zeros.
/// </summary>
internal sealed class StretchedPassword(byte[] password, int iterations, HashAlgorithmName hash, int hashBytes) : KeyedHashAlgorithm
{
    private const int BlockNumberBytes = 4;

    private readonly MemoryStream salt = new();
    private bool isTold;

    public override int HashSize => hashBytes * 8;

    /// <summary>
    /// The iteration count in a server's first message; null if there is no valid count, in which case MailKit refuses the message.
    /// </summary>
    public static int? IterationsOf(ReadOnlySpan<byte> challenge)
    {
        // The server's final message begins with its proof and contains no count.
        if (challenge.StartsWith("v="u8))
            return null;
        int? found = null;
        foreach (var part in Encoding.UTF8.GetString(challenge).Split(',').Where(p => p.StartsWith("i=", StringComparison.Ordinal)))
        {
            if (found is not null || !int.TryParse(part.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1)
                return null;
            found = number;
        }

        return found;
    }

    public override void Initialize() => salt.SetLength(0);

    protected override void HashCore(byte[] array, int ibStart, int cbSize)
    {
        if (!isTold)
            salt.Write(array, ibStart, cbSize);
    }

    protected override byte[] HashFinal()
    {
        if (isTold)
            return new byte[hashBytes];
        isTold = true;
        // The input from MailKit is the salt and a block number. PBKDF2 adds the block number itself, so cut it off.
        return Rfc2898DeriveBytes.Pbkdf2(password, salt.GetBuffer().AsSpan(0, (int)salt.Length - BlockNumberBytes), iterations, hash, hashBytes);
    }
}
