using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Distinguishes two kinds of doubtful UIDNEXT.
/// (1) It has decreased, because a store was restored from an older copy.
/// (2) It is always wrong: the folder has messages at or above it. It is then treated as not reported, because otherwise every run would
/// compare the pair anew and never remove anything.
/// A UIDNEXT that is missing when the folder is opened, but was known before, is requested with STATUS.
/// </summary>
internal static class ToldUidNext
{
    /// <summary>
    /// Returns the source folder's counters, without a UIDNEXT that the folder's listing contradicts. The folder is listed only if the
    /// UIDNEXT is in doubt.
    /// </summary>
    /// <param name="last">The pair's summary when it was last up to date.</param>
    public static Task<FolderStatus> OfSourceAsync(IMessageStore store, IMessageFolder source, ICheckpoint checkpoint, PairSummary? last, CancellationToken abort) =>
        CheckAsync(store, source, wasTold: last is { Source.UidNext.IsNone: false }, s => UidMemory.DoubtSource(checkpoint, last, s), abort);

    /// <inheritdoc cref="OfSourceAsync"/>
    public static Task<FolderStatus> OfTargetAsync(IMessageStore store, IMessageFolder target, ICheckpoint checkpoint, PairSummary? last, CancellationToken abort) =>
        CheckAsync(store, target, wasTold: checkpoint.KnownTargetUidNext > new Uid(1), s => UidMemory.DoubtTarget(checkpoint, last, s), abort);

    private static async Task<FolderStatus> CheckAsync(
        IMessageStore store, IMessageFolder folder, bool wasTold, Func<FolderStatus, string?> doubt, CancellationToken abort)
    {
        var told = folder.Status;
        if (told.UidNext.IsNone && wasTold && await StatusAnswers.UnlessRefusedAsync(store, folder.Path, abort) is { } asked && asked.UidValidity == told.UidValidity)
            told = told with { UidNext = asked.UidNext };
        var untold = told with { UidNext = Uid.None };
        if (told.UidNext.IsNone || doubt(told) is null || doubt(untold) is not null)
            return told;
        long below = 0, above = 0;
        await foreach (var message in folder.ListAsync(new ListRequest(), abort))
        {
            if (message.Uid < told.UidNext)
                below++;
            else
                above++;
        }

        // Mail that arrived after the folder was opened also has UIDs above a correct UIDNEXT, but the message count does not include it.
        // So UIDNEXT is wrong only if the messages below it are fewer than the count.
        return above > 0 && below < told.Messages ? untold : told;
    }
}
