namespace Imapsync.Imap.Pop3;

/// <summary>The server answered -ERR: this one command failed and the connection goes on. The text is the server's.</summary>
public sealed class Pop3RefusedException(string command, ResponseCode? code, string text)
    : Exception(code is null ? $"{command}: -ERR {text}".TrimEnd() : $"{command}: -ERR [{code}] {text}".TrimEnd())
{
    /// <summary>The command without its arguments.</summary>
    public string Command { get; } = command;

    /// <summary>The same as a reply of IMAP, for whoever judges what a refusal means.</summary>
    public StatusReply Reply { get; } = new(StatusKind.No, code, text);

    /// <summary>What the server said of a token before it refused it.</summary>
    public TokenRefusal? TokenRefusal { get; init; }

    /// <summary>Response codes of POP3 (RFC 2449 §8, RFC 3206) by what IMAP calls the same.</summary>
    internal static ResponseCodeKind KindOf(string name) => name switch
    {
        "IN-USE" => ResponseCodeKind.InUse,
        "LOGIN-DELAY" => ResponseCodeKind.Throttled,
        "SYS/TEMP" => ResponseCodeKind.Unavailable,
        "AUTH" => ResponseCodeKind.AuthenticationFailed,
        _ => ResponseCodeKind.Unknown,
    };
}
