using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Finds messages that vanished, are at the source again under another UID (moved away and back, or restored), and are now excluded by the
/// filter. Such a message still exists, and mail excluded by the filter keeps its copy, so the copy is not removed.
/// </summary>
internal static class LeftOutMail
{
    /// <summary>
    /// Finds the messages described above. Each is taken out of the messages to skip, and the record under its earlier UID is dropped.
    /// </summary>
    /// <param name="taken">Target UIDs that already belong to other source messages.</param>
    /// <returns>The pairs of source and target messages that are the same.</returns>
    public static async Task<IReadOnlyList<(MessageInfo Source, MessageInfo Target)>> FindAsync(
        JobContext context, MessageRecognition recognition, FolderPlan plan, IEnumerable<Uid> taken, CancellationToken cancellationToken)
    {
        List<SettledMessage> gone = [.. plan.Reusable];
        if (gone.Count == 0 || plan.Skip.Count == 0)
            return [];
        var (here, there) = (context.Source.Traits, context.Target.Traits);
        var sizes = new LikelySizes(gone.Select(m => m.Size).OfType<long>(), here, there);
        var isAnySize = gone.Exists(m => m.Size is null);
        List<MessageInfo> back = [.. plan.Skip.Where(m => isAnySize || sizes.Contains(m.Size))];
        if (back.Count == 0)
            return [];
        var likely = new LikelySizes(back.Select(m => m.Size), here, there);
        var copies = gone.Where(m => m.Size is not { } size || likely.Contains(size)).Select(m => m.Target).Except(taken).ToHashSet();
        var found = await recognition.RecognizeAsync(back, new Uid(uint.MaxValue), new HashSet<Uid>(), cancellationToken, copies);
        plan.TakeOver(found.Select(f => f.Target.Uid).ToHashSet());
        var sources = found.Select(f => f.Source.Uid).ToHashSet();
        plan.Skip.RemoveAll(m => sources.Contains(m.Uid));
        plan.Skipped -= found.Count;
        return found;
    }
}
