using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>
    /// Sends IDLE (RFC 2177) for the selected folder and returns when the IDLE has ended. A server may log out a client that idles for 30
    /// minutes. <see cref="ImapClientOptions.StallTimeout"/> does not apply during IDLE, so a dead connection is noticed only after DONE.
    /// </summary>
    /// <param name="onNews">
    /// Called for each change that the server reports outside the answer to a command. It must return quickly, because it runs on the read
    /// loop. It stays in use after the IDLE, until another call of this method or <see cref="NotifyAsync"/> replaces it.
    /// </param>
    /// <param name="done">Ends the IDLE by sending DONE, but not before the server has accepted IDLE.</param>
    /// <param name="cancellationToken">Breaks off the command and ends the connection.</param>
    /// <returns>True if the server accepted IDLE; false if it answered OK without sending the <c>+</c> that begins IDLE.</returns>
    /// <exception cref="ImapCommandException">The server answered NO or BAD, either at once or later, during the IDLE.</exception>
    public async Task<bool> IdleAsync(Action<FolderNews> onNews, CancellationToken done, CancellationToken cancellationToken)
    {
        connection.OnNews = onNews;
        var command = new IdleCommand();
        await using var registration = done.UnsafeRegister(static c => ((IdleCommand)c!).Finish(), command);
        await connection.ExecuteAsync(command, cancellationToken);
        return command.HasBegun;
    }
}

/// <summary>IDLE (RFC 2177, RFC 9051 §6.3.13). The server reports changes between its two parts, IDLE and DONE.</summary>
internal sealed class IdleCommand : ImapCommand
{
    // True if the client ends the IDLE, so that DONE must still be sent. False if the server has answered or the connection has ended.
    // Continuations run asynchronously, so that neither the caller of Finish nor the read loop writes DONE.
    private readonly TaskCompletionSource<bool> ending = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override string Name => "IDLE";

    public override CommandClass Class => CommandClass.Alone;

    public bool HasBegun { get; private set; }

    public void Finish() => ending.TrySetResult(true);

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("IDLE");
        HasBegun = await writer.ContinuationAsync() is not null;
        if (HasBegun && await writer.LingerAsync(ending.Task))
            writer.Text("DONE");
    }

    public override void OnTagged(StatusReply status) => ending.TrySetResult(false);

    public override void Fail(Exception reason)
    {
        base.Fail(reason);
        ending.TrySetResult(false);
    }
}
