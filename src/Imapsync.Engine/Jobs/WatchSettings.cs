using System.Collections.Immutable;

namespace Imapsync.Engine.Jobs;

/// <summary>How a job is kept up to date while it is watched.</summary>
public sealed record WatchSettings
{
    /// <summary>
    /// The time from the beginning of one run to that of the next while no changes are reported. Such runs are needed because notifications
    /// may be lost, and not every store sends any.
    /// </summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Globs for the source folders to listen to, the most important first. Used if the server reports changes of only one folder per
    /// connection (IDLE). If empty: INBOX, or the folder with the most messages if the job has no INBOX.
    /// </summary>
    public ImmutableArray<string> Folders { get; init; } = [];
}
