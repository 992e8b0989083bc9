using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>
    /// IDLE on the selected folder until <paramref name="done"/>; a server ends one that lasts for 30 minutes. The silence meanwhile is no
    /// stall: only the DONE shows whether the server is still there.
    /// </summary>
    /// <param name="onNews">Told each change of the selected folder, on the read loop, which it must not hold up.</param>
    /// <param name="done">Ends it with DONE. Cancelled before the server has agreed, it ends right after that.</param>
    /// <param name="cancellationToken">Ends the connection.</param>
    /// <returns>False where the server said OK and never let it begin.</returns>
    /// <exception cref="ImapCommandException">NO or BAD, at once or later: the server does not idle, or not any more.</exception>
    public async Task<bool> IdleAsync(Action<FolderNews> onNews, CancellationToken done, CancellationToken cancellationToken)
    {
        var command = new IdleCommand(onNews);
        await using var registration = done.UnsafeRegister(static c => ((IdleCommand)c!).Finish(), command);
        await connection.ExecuteAsync(command, cancellationToken);
        return command.HasBegun;
    }
}

/// <summary>IDLE (RFC 2177, RFC 9051 §6.3.13). It is written in two parts, with all that the server tells between them.</summary>
internal sealed class IdleCommand(Action<FolderNews> onNews) : ImapCommand
{
    // Whoever asks for the end does not go on to write it, nor does the read loop.
    private readonly TaskCompletionSource ending = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override string Name => "IDLE";

    public override CommandClass Class => CommandClass.Alone;

    public bool HasBegun { get; private set; }

    public void Finish() => ending.TrySetResult();

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("IDLE");
        HasBegun = await writer.ContinuationAsync() is not null;
        if (HasBegun && await writer.LingerAsync(ending.Task))
            writer.Text("DONE");
    }

    public override bool OnUntagged(ref ImapResponse response)
    {
        if (NewsReader.Read(ref response) is not { } news)
            return false;
        onNews(news);
        return true;
    }

    public override void OnTagged(StatusReply status) => Finish();

    public override void Fail(Exception reason)
    {
        base.Fail(reason);
        Finish();
    }
}
