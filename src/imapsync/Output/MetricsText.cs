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
        foreach (var figure in JobFigures.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"# HELP {figure.Name} {figure.Purpose}\n# TYPE {figure.Name} gauge\n");
            foreach (var job in jobs)
            {
                // A history that can't be read is no success: what a job without any shows.
                if (figure.Value(job.Standing) is { } number)
                    text.Append(CultureInfo.InvariantCulture, $"{figure.Name}{{job=\"{Label(job.Name)}\"}} {number:0.###}\n");
            }
        }

        return text.ToString();
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
