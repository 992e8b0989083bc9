using System.Globalization;
using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Dashboard;

internal enum ThroughputSpan
{
    Hour,
    Day,
}

/// <summary>How much all workers copied in the last hour or day, as bars of a chart and rows of a table.</summary>
internal sealed class Throughput(ThroughputSpan span, IReadOnlyList<ThroughputSample> samples)
{
    /// <summary>The size of a chart in its own units. The bars stand on its lower edge.</summary>
    public const int Width = 720, Height = 160;

    public ThroughputSpan Span => span;

    /// <summary>The samples, oldest first.</summary>
    public IReadOnlyList<ThroughputSample> Samples => samples;

    /// <summary>The length of a sample in minutes.</summary>
    public int Minutes => MinutesOf(span);

    public string Title => span == ThroughputSpan.Hour ? "The last hour, by minutes" : "The last day, by 15 minutes";

    /// <summary>A text that changes whenever there is a new sample.</summary>
    public string Version => samples.Count == 0 ? "" : samples[^1].At.ToString(CultureInfo.InvariantCulture);

    public bool IsEmpty => samples.All(s => s.Messages == 0);

    public static async Task<Throughput> ReadAsync(FleetStore store, ThroughputSpan span, CancellationToken cancellationToken) =>
        new(span, await store.ReadThroughputAsync(MinutesOf(span), span == ThroughputSpan.Hour ? 60 : 96, cancellationToken));

    /// <summary>Returns one sentence that describes a chart.</summary>
    public string Summary(Func<ThroughputSample, long> figure, Func<long, string> write)
    {
        var most = samples.MaxBy(figure)!;
        return $"{write(samples.Sum(figure))} in all, at most {write(figure(most) / Minutes)} a minute, at {Clock(most.At)} UTC";
    }

    /// <summary>Returns the bars of a chart, oldest first: the position, width, height and text of each.</summary>
    public IEnumerable<(string X, string Y, string Wide, string High, string Text)> Bars(Func<ThroughputSample, long> figure, Func<long, string> write)
    {
        var most = Math.Max(1, samples.Max(figure));
        var step = (double)Width / samples.Count;
        for (var i = 0; i < samples.Count; i++)
        {
            var value = figure(samples[i]);
            // Every value above 0 gets a bar that is high enough to be seen.
            var high = value == 0 ? 0 : Math.Max(1.5, (double)Height * value / most);
            yield return (Number((i * step) + (step * 0.1)), Number(Height - high), Number(step * 0.8), Number(high), $"{Clock(samples[i].At)} UTC: {write(value / Minutes)} a minute");
        }
    }

    public static string Clock(long at) => DateTimeOffset.FromUnixTimeMilliseconds(at).ToString("HH:mm", CultureInfo.InvariantCulture);

    private static int MinutesOf(ThroughputSpan span) => span == ThroughputSpan.Hour ? 1 : 15;

    private static string Number(double number) => number.ToString("0.##", CultureInfo.InvariantCulture);
}
