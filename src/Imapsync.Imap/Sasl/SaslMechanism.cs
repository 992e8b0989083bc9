namespace Imapsync.Imap.Sasl;

/// <summary>One SASL exchange (RFC 4422), used once.</summary>
internal abstract class SaslMechanism
{
    public abstract string Name { get; }

    /// <summary>What the client says first; null where the server begins.</summary>
    public abstract byte[]? InitialResponse { get; }

    /// <summary>Answers a challenge; null cancels. Throws <see cref="SaslException"/> when the server does not prove itself or talks nonsense.</summary>
    public virtual byte[]? Next(byte[] challenge) => null;
}

internal sealed class SaslException(string message) : Exception(message);
