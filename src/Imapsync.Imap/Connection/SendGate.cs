namespace Imapsync.Imap.Connection;

/// <summary>What a command needs or changes, which decides with which other commands it may be in flight.</summary>
internal enum CommandClass : byte
{
    /// <summary>Needs no selected folder and changes nothing that other commands depend on.</summary>
    Free,

    /// <summary>Works on the selected folder: FETCH, STORE, SEARCH and others.</summary>
    NeedsSelection,

    /// <summary>Changes which folder is selected: SELECT, EXAMINE, CLOSE, UNSELECT.</summary>
    ChangesSelection,

    /// <summary>Runs with no other command in flight: STARTTLS, AUTHENTICATE, LOGIN, IDLE, COMPRESS, LOGOUT.</summary>
    Alone,
}

/// <param name="AwaitsContinuation">Whether the command is partly sent and waits for the server's <c>+</c>.</param>
internal readonly record struct SentCommand(CommandClass Class, bool AwaitsContinuation);

/// <summary>Decides which command may be sent next (RFC 9051 §5.5). A pure function.</summary>
internal static class SendGate
{
    /// <summary>
    /// Whether no further command may be sent. Once the limit was reached, half of the commands must be answered first, so that several go out in one write.
    /// </summary>
    /// <param name="most">The limit of commands in flight; at least 1.</param>
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
            // A refused SELECT leaves no folder selected, so a command sent right after it would act on the wrong folder or on none.
            if (next == CommandClass.NeedsSelection && sent.Class == CommandClass.ChangesSelection)
                return false;
        }

        return true;
    }
}
