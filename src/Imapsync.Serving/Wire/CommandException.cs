namespace Imapsync.Serving.Wire;

/// <summary>A command that can't be parsed or is not possible now; it is answered with BAD and this message.</summary>
internal sealed class CommandException(string message) : Exception(message);

/// <summary>A valid command that is refused; it is answered with NO, an optional response code and this message.</summary>
internal sealed class RefusalException(string message, string? code = null) : Exception(message)
{
    public string? Code { get; } = code;
}

/// <summary>The session can't go on: the client gets BYE and the connection ends.</summary>
internal sealed class ConversationEndException(string message) : Exception(message);

/// <summary>The connection to the client is lost or unusable, so nothing more can be sent.</summary>
internal sealed class LineLostException(string message, Exception? inner = null) : Exception(message, inner);
