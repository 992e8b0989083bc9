using System.Diagnostics.Metrics;

namespace Imapsync.Engine.History;

/// <summary>A metric of a job's status, under the name that monitoring uses (docs/monitoring.md).</summary>
/// <param name="Value">Returns the metric's value; null if there is none yet.</param>
public sealed record JobFigure(string Name, string Purpose, Func<JobStanding, double?> Value);

/// <summary>All metrics, for Prometheus' text format and as instruments of the <see cref="Meter"/> <see cref="MeterName"/>.</summary>
public static class JobFigures
{
    public const string MeterName = "imapsync";

    public static IReadOnlyList<JobFigure> All { get; } =
    [
        Of("last_run_timestamp_seconds", "When the last run ended, or was begun where it has no end.", s => s.Last is { } l ? (l.Ended ?? l.Began).ToUnixTimeMilliseconds() / 1000.0 : 0),
        Of("last_success_timestamp_seconds", "When the last run ended after which everything was in place; 0 for never.", s => s.LastSuccess?.Ended?.ToUnixTimeMilliseconds() / 1000.0 ?? 0),
        Of("last_run_success", "1 where everything was in place after the last run.", s => s.IsLastGood ? 1 : 0),
        Of("running", "1 while a run goes on.", s => s.Running is null ? 0 : 1),
        Of("last_run_exit_status", "Of the last run that ended.", s => s.LastEnded?.ExitStatus),
        Of("last_run_duration_seconds", "Of the last run that ended.", s => s.LastEnded is { } e ? Math.Max(0, (e.Ended!.Value - e.Began).TotalSeconds) : null),
        Of("last_run_problems", "Problems of the last run that ended.", s => s.LastEnded?.ProblemCount),
        Of("last_run_source_messages", "Messages in the source.", s => s.LastEnded?.Totals.SourceMessages),
        Of("last_run_copied_messages", "Messages copied by the last run that ended.", s => s.LastEnded?.Totals.Copied),
        Of("last_run_copied_bytes", "Octets copied by the last run that ended.", s => s.LastEnded?.Totals.Bytes),
        Of("last_run_failed_messages", "Messages that are not in place.", s => s.LastEnded?.Totals.Failed),
        Of("last_run_deleted_messages", "Messages removed from the target.", s => s.LastEnded?.Totals.Deleted),
    ];

    /// <summary>Passes the metrics of jobs to the meter's listeners, each with the attribute <c>job</c>.</summary>
    public static void Record(IEnumerable<(string Job, JobStanding Standing)> jobs)
    {
        foreach (var (job, standing) in jobs)
        {
            foreach (var (figure, gauge) in Instruments.All)
            {
                if (figure.Value(standing) is { } number)
                    gauge.Record(number, new KeyValuePair<string, object?>("job", job));
            }
        }
    }

    private static JobFigure Of(string name, string purpose, Func<JobStanding, double?> value) => new("imapsync_job_" + name, purpose, value);

    /// <summary>
    /// The instruments, created when they are first needed. They have no units, since Prometheus would append these to the names.
    /// </summary>
    private static class Instruments
    {
        private static readonly Meter Meter = new(MeterName);

        public static IReadOnlyList<(JobFigure Figure, Gauge<double> Gauge)> All { get; } =
            [.. JobFigures.All.Select(f => (f, Meter.CreateGauge<double>(f.Name, unit: null, f.Purpose)))];
    }
}
