namespace Imapsync.Imap;

/// <summary>
/// The server answered NO or BAD: this one command failed and the connection goes on. The text is the server's.
/// </summary>
public sealed class ImapCommandException(string command, StatusReply reply)
    : Exception($"{command}: {reply}")
{
    /// <summary>The command's name without arguments, e.g. <c>UID FETCH</c>.</summary>
    public string Command { get; } = command;

    public StatusReply Reply { get; } = reply;

    /// <summary>What the server said of the token, where it refused one.</summary>
    public TokenRefusal? TokenRefusal { get; init; }

    /// <summary>The same command may succeed later.</summary>
    public bool IsTransient => RefusalClassifier.Classify(Reply).IsTransient;

    /// <summary>How long the server asked to be left alone, where it said so.</summary>
    public TimeSpan? RetryAfter => RefusalClassifier.Classify(Reply).RetryAfter;
}

/// <summary>
/// The log-in was given up on this side: nothing that is offered fits, or the server did not prove that it knows the password.
/// The connection is closed.
/// </summary>
public sealed class ImapLogInException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Client and server are out of step, or a limit was passed. The connection is broken; a new one may do.</summary>
public sealed class ImapProtocolException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The server's reply that the connection had to be given up over, where it was one.</summary>
    public StatusReply? Reply { get; init; }

    /// <summary>A body was not as long as announced: where a reply begins is no longer known, and what was being read is not to be believed.</summary>
    public bool IsFramingLost { get; init; }
}

public enum ConnectionFailure
{
    /// <summary>Name, network, or the connection ended.</summary>
    Network,

    /// <summary>The server's certificate or the handshake; trying again will not help.</summary>
    Tls,

    /// <summary>The server said BYE.</summary>
    Bye,

    /// <summary>Something was asked for and no octet moved for the stall timeout.</summary>
    Stall,

    /// <summary>This side closed it.</summary>
    Closed,
}

/// <summary>The connection could not be made or is gone. Everything in flight failed with it; make a new one.</summary>
public sealed class ImapConnectionException(ConnectionFailure failure, string message, Exception? inner = null) : Exception(message, inner)
{
    public ConnectionFailure Failure { get; } = failure;

    /// <summary>The BYE, where the server said one.</summary>
    public StatusReply? Bye { get; init; }

    /// <summary>Why no address of the host could be reached, without its name; null where one was.</summary>
    public string? Unreachable { get; init; }

    /// <summary>The port would take us another way than the one asked for.</summary>
    public ImapTls? SpeaksInstead { get; init; }

    /// <summary>The certificate that was not accepted, where it was that.</summary>
    public RefusedCertificate? Certificate { get; init; }
}

/// <param name="Fingerprint">Its SHA-256, in small hexadecimal digits.</param>
public sealed record RefusedCertificate(string Fingerprint)
{
    /// <summary>No authority that is trusted stands behind it.</summary>
    public bool IsUnknown { get; init; }

    public bool IsOutOfDate { get; init; }

    public bool IsForOtherName { get; init; }
}
