using System.Globalization;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.History;

namespace Imapsync.CommandLine.Output;

/// <summary>The status of jobs in Prometheus' text format (docs/monitoring.md).</summary>
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
                // A job whose history can't be read has the metrics of a job that never ran, so it does not count as a success.
                if (figure.Value(job.Standing) is { } number)
                    text.Append(CultureInfo.InvariantCulture, $"{figure.Name}{{job=\"{Label(job.Name)}\"}} {number:0.###}\n");
            }
        }

        return text.ToString();
    }

    /// <summary>
    /// Writes the metrics file and reports failures. Everybody can read the file, because the collector runs as another user. It
    /// reveals only job names and figures.
    /// </summary>
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
