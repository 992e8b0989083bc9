namespace Imapsync.Serving.Wire;

/// <summary>A command that is not understood: it is answered with BAD and this text.</summary>
internal sealed class CommandException(string message) : Exception(message);

/// <summary>A command that is understood and refused: it is answered with NO, a response code where there is one, and this text.</summary>
internal sealed class RefusalException(string message, string? code = null) : Exception(message)
{
    public string? Code { get; } = code;
}

/// <summary>The conversation can't go on: the client is told (BYE) and the connection ends.</summary>
internal sealed class ConversationEndException(string message) : Exception(message);

/// <summary>The line to the client is gone, or no use any more: nothing more can be said.</summary>
internal sealed class LineLostException(string message, Exception? inner = null) : Exception(message, inner);
