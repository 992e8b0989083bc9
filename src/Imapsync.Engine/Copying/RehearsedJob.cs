using Imapsync.Engine.Checkpoints;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Imap;
using Imapsync.Imap.Connection;

namespace Imapsync.Engine.Copying;

/// <summary>A job with nothing new, between servers in memory: it goes the way of a run, makes no connection and writes nothing.</summary>
public static class RehearsedJob
{
    // Nothing can be made below a device, so no state is ever found there.
    private const string NoDirectory = "/dev/null/state";

    private static readonly FolderCounters Folder = new(Messages: 17, new Uid(18), new UidValidity(1), Unseen: 2, new ModSeq(42));
    private static readonly ImapEndpoint Account = new("localhost", 143, TlsMode.None, "nobody");

    public static JobDefinition Definition { get; } = new("rehearsal", Account, Account) { StateDirectory = NoDirectory };

    /// <summary>Runs <see cref="Definition"/>.</summary>
    public static JobRunner Runner(TimeProvider time) => new(
        time,
        (_, _, context, c) => ImapStore.OpenAsync(Account, context, _ => PretendedServer.ConnectAsync(Folder), c),
        (directory, _, c) => OpenCheckpointsAsync(directory, time, c));

    /// <summary>As a run leaves them that has brought everything up to date; they stay in memory.</summary>
    private static async Task<ICheckpointStore> OpenCheckpointsAsync(string directory, TimeProvider time, CancellationToken cancellationToken)
    {
        var checkpoints = await CheckpointStore.OpenAsync(directory, time, readOnly: true, cancellationToken);
        var inbox = new FolderPath("INBOX");
        var status = new FolderStatus(Folder.UidValidity, Folder.UidNext, Folder.Messages, Folder.Unseen, Folder.HighestModSeq);
        await checkpoints.SaveSummariesAsync(
            [new PairSummary(new PairKey(inbox, inbox), status, status, Definition.Rules, status.Messages, 0, Subscribed: true)], cancellationToken);
        return checkpoints;
    }
}
