using System.Collections.Immutable;

namespace Imapsync.Engine.Jobs;

/// <summary>How a job is kept up to date while it is watched.</summary>
public sealed record WatchSettings
{
    /// <summary>From the beginning of one run to that of the next where nothing is told of changes: notifications may be lost, and not every store has any.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Globs of source folders to listen to where the server tells of one folder a connection (IDLE), the most wanted first. Empty: INBOX, or
    /// where the job has none the folder with the most messages.
    /// </summary>
    public ImmutableArray<string> Folders { get; init; } = [];
}
