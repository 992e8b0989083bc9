using System.Security.Cryptography;
using MailKit.Security;

namespace Imapsync.Imap.Sasl;

/// <summary>MailKit's SCRAM-SHA-1, its password stretched in one call.</summary>
internal sealed class ScramSha1(string user, string password) : SaslMechanismScramSha1(user, password)
{
    private int? iterations;

    protected override byte[]? Challenge(byte[]? token, int startIndex, int length, CancellationToken cancellationToken)
    {
        iterations = StretchedPassword.IterationsOf(token.AsSpan(startIndex, length));
        return base.Challenge(token, startIndex, length, cancellationToken);
    }

    protected override KeyedHashAlgorithm CreateHMAC(byte[] key) => StretchedPassword.TakeOnce(ref iterations) is { } count
        ? new StretchedPassword(key, count, HashAlgorithmName.SHA1, SHA1.HashSizeInBytes)
        : base.CreateHMAC(key);
}

/// <summary>MailKit's SCRAM-SHA-256, its password stretched in one call.</summary>
internal sealed class ScramSha256(string user, string password) : SaslMechanismScramSha256(user, password)
{
    private int? iterations;

    protected override byte[]? Challenge(byte[]? token, int startIndex, int length, CancellationToken cancellationToken)
    {
        iterations = StretchedPassword.IterationsOf(token.AsSpan(startIndex, length));
        return base.Challenge(token, startIndex, length, cancellationToken);
    }

    protected override KeyedHashAlgorithm CreateHMAC(byte[] key) => StretchedPassword.TakeOnce(ref iterations) is { } count
        ? new StretchedPassword(key, count, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes)
        : base.CreateHMAC(key);
}

/// <summary>MailKit's SCRAM-SHA-512, its password stretched in one call.</summary>
internal sealed class ScramSha512(string user, string password) : SaslMechanismScramSha512(user, password)
{
    private int? iterations;

    protected override byte[]? Challenge(byte[]? token, int startIndex, int length, CancellationToken cancellationToken)
    {
        iterations = StretchedPassword.IterationsOf(token.AsSpan(startIndex, length));
        return base.Challenge(token, startIndex, length, cancellationToken);
    }

    protected override KeyedHashAlgorithm CreateHMAC(byte[] key) => StretchedPassword.TakeOnce(ref iterations) is { } count
        ? new StretchedPassword(key, count, HashAlgorithmName.SHA512, SHA512.HashSizeInBytes)
        : base.CreateHMAC(key);
}
