using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Imapsync.Imap.Sasl;

/// <summary>
/// SCRAM's Hi(password, salt, i) (RFC 5802 §2.2) computed by the system's PBKDF2 in one call. MailKit asks for i HMACs one by one, each
/// of the last one's result, and folds them by exclusive or: that was the greater part of a small account's processor time. Here the first
/// is Hi whole and each further one zeros, which change nothing.
/// </summary>
internal sealed class StretchedPassword(byte[] password, int iterations, HashAlgorithmName hash, int hashBytes) : KeyedHashAlgorithm
{
    private const int BlockNumberBytes = 4;

    private readonly MemoryStream salt = new();
    private bool isTold;

    public override int HashSize => hashBytes * 8;

    /// <summary>How many iterations a server's first message asks for; null where it can't be made out, which MailKit then refuses.</summary>
    public static int? IterationsOf(ReadOnlySpan<byte> challenge)
    {
        // The server's last message has its proof, and no count.
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
        // What MailKit hands in ends with the number of the block, which PBKDF2 adds itself.
        return Rfc2898DeriveBytes.Pbkdf2(password, salt.GetBuffer().AsSpan(0, (int)salt.Length - BlockNumberBytes), iterations, hash, hashBytes);
    }
}
