namespace Imapsync.Imap.Pop3;

/// <summary>The server answered -ERR: this one command failed, and the connection is still usable. The message contains the server's text.</summary>
public sealed class Pop3RefusedException(string command, ResponseCode? code, string text)
    : Exception(code is null ? $"{command}: -ERR {text}".TrimEnd() : $"{command}: -ERR [{code}] {text}".TrimEnd())
{
    /// <summary>The command's name without its arguments.</summary>
    public string Command { get; } = command;

    /// <summary>The refusal in the form of an IMAP reply, so that <see cref="RefusalClassifier"/> can judge it.</summary>
    public StatusReply Reply { get; } = new(StatusKind.No, code, text);

    /// <summary>The server's explanation for refusing an OAuth token; null if it gave none.</summary>
    public TokenRefusal? TokenRefusal { get; init; }

    /// <summary>Translates a POP3 response code (RFC 2449 §8, RFC 3206) into the IMAP response code of the same meaning.</summary>
    internal static ResponseCodeKind KindOf(string name) => name switch
    {
        "IN-USE" => ResponseCodeKind.InUse,
        "LOGIN-DELAY" => ResponseCodeKind.Throttled,
        "SYS/TEMP" => ResponseCodeKind.Unavailable,
        "AUTH" => ResponseCodeKind.AuthenticationFailed,
        _ => ResponseCodeKind.Unknown,
    };
}
