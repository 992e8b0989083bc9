namespace Imapsync.Imap;

/// <summary>
/// The server answered NO or BAD: this one command failed, and the connection is still usable. The message contains the server's text.
/// </summary>
public sealed class ImapCommandException(string command, StatusReply reply)
    : Exception($"{command}: {reply}")
{
    /// <summary>The command's name without arguments, e.g. <c>UID FETCH</c>.</summary>
    public string Command { get; } = command;

    public StatusReply Reply { get; } = reply;

    /// <summary>The server's explanation for refusing an OAuth token; null if it gave none.</summary>
    public TokenRefusal? TokenRefusal { get; init; }

    /// <summary>Whether the same command may succeed later.</summary>
    public bool IsTransient => RefusalClassifier.Classify(Reply).IsTransient;

    /// <summary>How long the server asks the client to wait; null if it does not say.</summary>
    public TimeSpan? RetryAfter => RefusalClassifier.Classify(Reply).RetryAfter;
}

/// <summary>
/// The client gave up the log-in: no offered mechanism is usable, or the server did not prove that it knows the password.
/// The connection is closed.
/// </summary>
public sealed class ImapLogInException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Client and server are out of step, or a limit was exceeded. The connection is broken; a new one may work.</summary>
public sealed class ImapProtocolException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The server's reply that made the connection unusable; null if it was not a reply.</summary>
    public StatusReply? Reply { get; init; }

    /// <summary>
    /// Whether a body's announced length was wrong. Then nobody knows where the next reply begins, and the data read last can't be trusted.
    /// </summary>
    public bool IsFramingLost { get; init; }
}

public enum ConnectionFailure
{
    /// <summary>The host name could not be resolved, the network failed, or the connection was closed.</summary>
    Network,

    /// <summary>The server's certificate or the TLS handshake failed; trying again will not help.</summary>
    Tls,

    /// <summary>The server said BYE.</summary>
    Bye,

    /// <summary>A command was in flight and no octet moved for the stall timeout.</summary>
    Stall,

    /// <summary>The client closed the connection.</summary>
    Closed,
}

/// <summary>The connection could not be made or is lost. All commands in flight failed with it; make a new connection.</summary>
public sealed class ImapConnectionException(ConnectionFailure failure, string message, Exception? inner = null) : Exception(message, inner)
{
    public ConnectionFailure Failure { get; } = failure;

    /// <summary>The server's BYE; null if it sent none.</summary>
    public StatusReply? Bye { get; init; }

    /// <summary>Why no address of the host could be reached, without the host's name; null for any other failure.</summary>
    public string? Unreachable { get; init; }

    /// <summary>The TLS mode that the port does speak, if it is not the configured one.</summary>
    public ImapTls? SpeaksInstead { get; init; }

    /// <summary>The certificate that was refused; null if the failure was another.</summary>
    public RefusedCertificate? Certificate { get; init; }
}

/// <param name="Fingerprint">The certificate's SHA-256, in lower-case hexadecimal.</param>
public sealed record RefusedCertificate(string Fingerprint)
{
    /// <summary>Whether no trusted authority vouches for the certificate.</summary>
    public bool IsUnknown { get; init; }

    public bool IsOutOfDate { get; init; }

    public bool IsForOtherName { get; init; }
}
