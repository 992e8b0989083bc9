using System.Security.Cryptography;
using MailKit.Security;

namespace Imapsync.Imap.Sasl;

/// <summary>MailKit's SCRAM-SHA-1, with the password's PBKDF2 computed in a single call.</summary>
internal sealed class ScramSha1(string user, string password) : SaslMechanismScramSha1(user, password)
{
    private readonly PasswordStretching stretching = new(HashAlgorithmName.SHA1, SHA1.HashSizeInBytes);

    protected override byte[]? Challenge(byte[]? token, int startIndex, int length, CancellationToken cancellationToken)
    {
        stretching.Hear(token.AsSpan(startIndex, length));
        return base.Challenge(token, startIndex, length, cancellationToken);
    }

    protected override KeyedHashAlgorithm CreateHMAC(byte[] key) => stretching.Take(key) ?? base.CreateHMAC(key);
}

/// <summary>MailKit's SCRAM-SHA-256, with the password's PBKDF2 computed in a single call.</summary>
internal sealed class ScramSha256(string user, string password) : SaslMechanismScramSha256(user, password)
{
    private readonly PasswordStretching stretching = new(HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);

    protected override byte[]? Challenge(byte[]? token, int startIndex, int length, CancellationToken cancellationToken)
    {
        stretching.Hear(token.AsSpan(startIndex, length));
        return base.Challenge(token, startIndex, length, cancellationToken);
    }

    protected override KeyedHashAlgorithm CreateHMAC(byte[] key) => stretching.Take(key) ?? base.CreateHMAC(key);
}

/// <summary>MailKit's SCRAM-SHA-512, with the password's PBKDF2 computed in a single call.</summary>
internal sealed class ScramSha512(string user, string password) : SaslMechanismScramSha512(user, password)
{
    private readonly PasswordStretching stretching = new(HashAlgorithmName.SHA512, SHA512.HashSizeInBytes);

    protected override byte[]? Challenge(byte[]? token, int startIndex, int length, CancellationToken cancellationToken)
    {
        stretching.Hear(token.AsSpan(startIndex, length));
        return base.Challenge(token, startIndex, length, cancellationToken);
    }

    protected override KeyedHashAlgorithm CreateHMAC(byte[] key) => stretching.Take(key) ?? base.CreateHMAC(key);
}

/// <summary>
/// Recognises, among the HMACs that MailKit requests during SCRAM, the one that begins the computation of Hi, the stretched password (RFC
/// 5802 §2.2). It is the first HMAC requested after the server has sent an iteration count.
/// </summary>
internal sealed class PasswordStretching(HashAlgorithmName hash, int hashBytes)
{
    private int? iterations;

    public void Hear(ReadOnlySpan<byte> challenge) => iterations = StretchedPassword.IterationsOf(challenge);

    /// <summary>
    /// Returns the HMAC that stretches the password, for the first request after the server sent its iteration count. Returns null for all
    /// later requests, because they need an ordinary HMAC.
    /// </summary>
    public KeyedHashAlgorithm? Take(byte[] key)
    {
        var count = iterations;
        iterations = null;
        return count is null ? null : new StretchedPassword(key, count.Value, hash, hashBytes);
    }
}
