using System.Globalization;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.History;

namespace Imapsync.CommandLine.Output;

/// <summary>How jobs stand, in Prometheus' text format (docs/monitoring.md).</summary>
internal static class MetricsText
{
    public static string Write(IReadOnlyList<NamedStanding> jobs)
    {
        var text = new StringBuilder();
        Add("last_run_timestamp_seconds", "When the last run ended, or was begun where it has no end.", s => s.Last is { } l ? (l.Ended ?? l.Began).ToUnixTimeMilliseconds() / 1000.0 : 0);
        Add("last_success_timestamp_seconds", "When the last run ended after which everything was in place; 0 for never.", s => s.LastSuccess?.Ended?.ToUnixTimeMilliseconds() / 1000.0 ?? 0);
        Add("last_run_success", "1 where everything was in place after the last run.", s => s.IsLastGood ? 1 : 0);
        Add("running", "1 while a run goes on.", s => s.Running is null ? 0 : 1);
        Add("last_run_exit_status", "Of the last run that ended.", s => s.LastEnded?.ExitStatus);
        Add("last_run_duration_seconds", "Of the last run that ended.", s => s.LastEnded is { } e ? Math.Max(0, (e.Ended!.Value - e.Began).TotalSeconds) : null);
        Add("last_run_problems", "Problems of the last run that ended.", s => s.LastEnded?.ProblemCount);
        Add("last_run_source_messages", "Messages in the source.", s => s.LastEnded?.Totals.SourceMessages);
        Add("last_run_copied_messages", "Messages copied by the last run that ended.", s => s.LastEnded?.Totals.Copied);
        Add("last_run_copied_bytes", "Octets copied by the last run that ended.", s => s.LastEnded?.Totals.Bytes);
        Add("last_run_failed_messages", "Messages that are not in place.", s => s.LastEnded?.Totals.Failed);
        Add("last_run_deleted_messages", "Messages removed from the target.", s => s.LastEnded?.Totals.Deleted);
        return text.ToString();

        void Add(string name, string help, Func<JobStanding, double?> value)
        {
            text.Append(CultureInfo.InvariantCulture, $"# HELP imapsync_job_{name} {help}\n# TYPE imapsync_job_{name} gauge\n");
            foreach (var job in jobs)
            {
                // A history that can't be read is no success: what a job without any shows.
                if (value(job.Standing) is { } number)
                    text.Append(CultureInfo.InvariantCulture, $"imapsync_job_{name}{{job=\"{Label(job.Name)}\"}} {number:0.###}\n");
            }
        }
    }

    /// <summary>Readable for all, since the collector is another user; it names jobs and nothing else. What goes wrong is said.</summary>
    public static async Task TryWriteAsync(string path, IReadOnlyList<NamedStanding> jobs, Action<string> say)
    {
        try
        {
            await OutputFile.WriteAsync(path, stream => stream.WriteAsync(new UTF8Encoding(false).GetBytes(Write(jobs))).AsTask(), isForAll: true);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            say($"the metrics {path} could not be written: {FileErrors.Explain(e)}");
        }
    }

    private static string Label(string name) =>
        name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
