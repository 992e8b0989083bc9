using Imapsync.Engine.Mail;
using Imapsync.Engine.Reading;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Reads the envelopes (sender, subject, date) of messages that could not be copied, so that their owner can identify them. Their number is
/// limited per job.
/// </summary>
internal sealed class FailureDescriptions
{
    /// <summary>
    /// How many messages are described per job. Each description reads a header from a server that may be in trouble, so the number is
    /// limited.
    /// </summary>
    public const int MostOfAJob = 100;

    private int left = MostOfAJob;

    /// <summary>
    /// Adds envelopes to the failures of an open folder before they are reported. A message that can't be read gets no envelope.
    /// </summary>
    public async Task DescribeAsync(IMessageFolder source, FolderTally tally, CancellationToken abort)
    {
        // Messages that the source itself could not deliver are described last: asking for them again may end the connection.
        foreach (var group in tally.ToProblems().Where(p => p is { Uid: not null, Envelope: null }).GroupBy(p => p.Reason == Reasons.Unreadable).OrderBy(g => g.Key))
        {
            var uids = group.Select(p => new Uid(p.Uid!.Value)).Take(Take(Math.Min(group.Count(), MessageDescription.MostAtOnce))).Order().ToList();
            foreach (var (uid, envelope) in await MessageDescription.ReadAsync(source, uids, abort))
                tally.Describe(uid, envelope);
        }
    }

    private int Take(int wanted)
    {
        // Several folders are copied in parallel, so the counter is changed atomically.
        var before = Interlocked.Add(ref left, -wanted) + wanted;
        return Math.Clamp(before, 0, wanted);
    }
}
