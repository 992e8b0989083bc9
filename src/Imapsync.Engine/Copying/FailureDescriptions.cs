using Imapsync.Engine.Mail;
using Imapsync.Engine.Reading;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>Finds out what the messages are that a job could not copy, so that their owner can tell which they are. Bounded for the whole job.</summary>
internal sealed class FailureDescriptions
{
    /// <summary>Each costs a header to read, of a server that is in trouble perhaps.</summary>
    public const int MostOfAJob = 100;

    private int left = MostOfAJob;

    /// <summary>Describes failures of an open folder before they are told. What can't be read stays without.</summary>
    public async Task DescribeAsync(IMessageFolder source, FolderTally tally, CancellationToken abort)
    {
        // The source's own troubles last: asking for such a message again may end the connection.
        foreach (var group in tally.ToProblems().Where(p => p is { Uid: not null, Envelope: null }).GroupBy(p => p.Reason == Reasons.Unreadable).OrderBy(g => g.Key))
        {
            var uids = group.Select(p => new Uid(p.Uid!.Value)).Take(Take(Math.Min(group.Count(), MessageDescription.MostAtOnce))).Order().ToList();
            foreach (var (uid, envelope) in await MessageDescription.ReadAsync(source, uids, abort))
                tally.Describe(uid, envelope);
        }
    }

    private int Take(int wanted)
    {
        // Folders are copied side by side.
        var before = Interlocked.Add(ref left, -wanted) + wanted;
        return Math.Clamp(before, 0, wanted);
    }
}
