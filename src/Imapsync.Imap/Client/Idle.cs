using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>
    /// IDLE on the selected folder until <paramref name="done"/>; a server ends one that lasts for 30 minutes. The silence meanwhile is no
    /// stall: only the DONE shows whether the server is still there.
    /// </summary>
    /// <param name="onNews">
    /// Told each change that comes outside the answer to a command, on the read loop, which it must not hold up. It is told after the end as
    /// well, until another call of this method or of <see cref="NotifyAsync"/> takes its place.
    /// </param>
    /// <param name="done">Ends it with DONE. Cancelled before the server has agreed, it ends right after that.</param>
    /// <param name="cancellationToken">Ends the connection.</param>
    /// <returns>False where the server said OK and never let it begin.</returns>
    /// <exception cref="ImapCommandException">NO or BAD, at once or later: the server does not idle, or not any more.</exception>
    public async Task<bool> IdleAsync(Action<FolderNews> onNews, CancellationToken done, CancellationToken cancellationToken)
    {
        connection.OnNews = onNews;
        var command = new IdleCommand();
        await using var registration = done.UnsafeRegister(static c => ((IdleCommand)c!).Finish(), command);
        await connection.ExecuteAsync(command, cancellationToken);
        return command.HasBegun;
    }
}

/// <summary>IDLE (RFC 2177, RFC 9051 §6.3.13). It is written in two parts, with all that the server tells between them.</summary>
internal sealed class IdleCommand : ImapCommand
{
    // Whoever asks for the end does not go on to write it, nor does the read loop.
    // True where the client wants the end, and so owes DONE; false where the server has answered or is gone.
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
