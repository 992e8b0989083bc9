using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Watching;

/// <summary>Chooses which of a source's folders are listened to. Pure.</summary>
public static class WatchedFolders
{
    public static ListenedFolders Choose(JobDefinition job, IReadOnlyList<FolderEntry> listed)
    {
        var mapping = FolderMapper.Map(listed, job.Folders);
        var folders = mapping.Pairs.Select(p => p.Source).DistinctBy(f => f.Path).ToList();
        var wanted = job.Watch.Folders.IsEmpty
            ? folders.OrderByDescending(f => f.Path.IsInbox).ThenByDescending(f => f.Status?.Messages ?? 0).Select(f => f.Path).Take(1)
            : job.Watch.Folders.Select(g => new FolderGlob(g)).SelectMany(g => folders.Where(f => g.Matches(f.Path)).Select(f => f.Path)).Distinct();
        // If labels are copied, a change may be reported only for a folder that the job excludes. So reports of all folders are wanted.
        return new ListenedFolders([.. wanted], job.Labels == LabelPolicy.None ? mapping.Excluded : []);
    }
}
