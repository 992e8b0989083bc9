namespace Imapsync.Imap.Connection;

/// <summary>How a command stands to others on the same connection.</summary>
internal enum CommandClass : byte
{
    /// <summary>Needs no selected folder and changes nothing that others build on.</summary>
    Free,

    /// <summary>Works on the selected folder.</summary>
    NeedsSelection,

    /// <summary>SELECT, EXAMINE, CLOSE, UNSELECT.</summary>
    ChangesSelection,

    /// <summary>STARTTLS, AUTHENTICATE, LOGIN, IDLE, COMPRESS, LOGOUT: nothing beside it.</summary>
    Alone,
}

/// <param name="AwaitsContinuation">It was sent up to a point where the server has to say <c>+</c>.</param>
internal readonly record struct SentCommand(CommandClass Class, bool AwaitsContinuation);

/// <summary>Decides what may be sent next (RFC 9051 §5.5). Pure.</summary>
internal static class SendGate
{
    /// <summary>Once full, it is filled up again when half is answered: one write for several commands.</summary>
    /// <param name="most">From 1.</param>
    public static bool IsFull(int inFlight, int most, bool wasFull) => inFlight >= (wasFull ? (most + 1) / 2 : most);

    public static bool MaySend(CommandClass next, ReadOnlySpan<SentCommand> inFlight)
    {
        if (next == CommandClass.Alone && !inFlight.IsEmpty)
            return false;
        foreach (var sent in inFlight)
        {
            if (sent.AwaitsContinuation || sent.Class == CommandClass.Alone)
                return false;
            if (next == CommandClass.ChangesSelection && sent.Class != CommandClass.Free)
                return false;
            // A refused SELECT leaves nothing selected, and what follows would hit the wrong folder or none.
            if (next == CommandClass.NeedsSelection && sent.Class == CommandClass.ChangesSelection)
                return false;
        }

        return true;
    }
}
