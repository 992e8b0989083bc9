using Imapsync.Engine.Configuration;
using Imapsync.Engine.Files;
using Imapsync.Engine.History;

namespace Imapsync.CommandLine;

/// <summary>A job's name and status.</summary>
/// <param name="Trouble">Why the history could not be read; the status is then that of a job that never ran.</param>
internal sealed record NamedStanding(string Name, JobStanding Standing, string? Trouble)
{
    /// <param name="maxAge">See <see cref="JobStanding.IsOld"/>.</param>
    public static async Task<IReadOnlyList<NamedStanding>> ReadAsync(
        IEnumerable<JobPlace> places, TimeSpan? maxAge, TimeProvider time, CancellationToken cancellationToken)
    {
        var standings = new List<NamedStanding>();
        foreach (var place in places)
        {
            IReadOnlyList<HistoryEntry> entries = [];
            string? trouble = null;
            try
            {
                entries = await new JobHistory(place.StateDirectory, time).ReadWithoutFoldersAsync(cancellationToken);
            }
            catch (Exception e) when (FileErrors.Is(e))
            {
                trouble = FileErrors.Explain(e);
            }

            standings.Add(new NamedStanding(place.Name, JobStanding.Of(entries, time.GetUtcNow(), maxAge, JobStanding.IsAlive), trouble));
        }

        return standings;
    }
}
