using System.Text;

namespace Imapsync.CommandLine.Pages;

/// <summary>
/// Draws charts as inline SVG. The SVG contains only shapes, because it is stretched to the available space. Labels are
/// outside, so that they stay legible.
/// </summary>
internal static class Charts
{
    private const int Width = 600, Height = 100;

    /// <summary>Draws a line chart over time.</summary>
    /// <param name="points">Two or more points, in order of time.</param>
    public static void Line(Html page, string title, IReadOnlyList<(DateTimeOffset Time, double Value)> points, Func<double, string> words, Func<DateTimeOffset, string> date)
    {
        var (least, most) = (points.Min(p => p.Value), points.Max(p => p.Value));
        var path = Path(points.Select(p => (p.Time.UtcTicks * 1.0, p.Value)).ToList(), Width, Height, 6);
        Begin(page, title, words(most), most > least ? words(least) : "");
        page.Raw($"<path class=\"area\" d=\"{path}L{Width} {Height}L0 {Height}Z\"/><path class=\"line\" d=\"{path}\"/>");
        End(page, date(points[0].Time), date(points[^1].Time));
    }

    /// <summary>Draws a bar chart of the sums of values in equal time intervals.</summary>
    public static void Bars(Html page, string title, IReadOnlyList<(DateTimeOffset Time, double Value)> points, Func<double, string> words, Func<DateTimeOffset, string> date)
    {
        const int most = 60;
        var (first, last) = (points[0].Time, points[^1].Time);
        var bins = new double[Math.Clamp(points.Count, 1, most)];
        foreach (var (time, value) in points)
        {
            var share = last > first ? (time - first) / (last - first) : 0;
            bins[Math.Clamp((int)(share * bins.Length), 0, bins.Length - 1)] += value;
        }

        Begin(page, title, words(bins.Max()), "0");
        Bars(page, bins);
        End(page, date(first), date(last));
    }

    /// <summary>Draws a bar chart with labels for the first and the last bar.</summary>
    public static void Bars(Html page, string title, IReadOnlyList<(string Word, double Value)> bars, Func<double, string> words)
    {
        Begin(page, title, words(bars.Max(b => b.Value)), "0");
        Bars(page, [.. bars.Select(b => b.Value)]);
        End(page, bars[0].Word, bars.Count > 1 ? bars[^1].Word : "");
    }

    /// <summary>Draws a small line without labels.</summary>
    public static void Spark(Html page, IReadOnlyList<double> values)
    {
        if (values.Count < 2)
            return;
        var path = Path(values.Select((v, i) => ((double)i, v)).ToList(), 80, 18, 2);
        page.Raw($"<svg class=\"spark\" viewBox=\"0 0 80 18\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><path class=\"line\" d=\"{path}\"/></svg>");
    }

    /// <summary>Draws one mark per run: full height for a success; half height in another colour otherwise.</summary>
    public static void Marks(Html page, string title, IReadOnlyList<bool> isGood)
    {
        page.Raw($"<svg class=\"marks\" viewBox=\"0 0 {isGood.Count * 10} 20\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{Html.Encode(title)}\" style=\"max-width:{isGood.Count * 10}px\">");
        for (var i = 0; i < isGood.Count; i++)
            page.Raw(isGood[i] ? $"<rect class=\"good\" x=\"{i * 10}\" y=\"0\" width=\"8\" height=\"20\"/>" : $"<rect class=\"bad\" x=\"{i * 10}\" y=\"10\" width=\"8\" height=\"10\"/>");
        page.Raw("</svg>");
    }

    private static void Bars(Html page, double[] bins)
    {
        var most = Math.Max(1, bins.Max());
        var step = (double)Width / bins.Length;
        for (var i = 0; i < bins.Length; i++)
        {
            // A small positive value still gets a visible bar.
            var height = bins[i] <= 0 ? 0 : Math.Max(2, bins[i] / most * (Height - 4));
            page.Raw($"<rect class=\"bar\" x=\"{Html.Number((i * step) + (step * 0.1))}\" y=\"{Html.Number(Height - height)}\" width=\"{Html.Number(step * 0.8)}\" height=\"{Html.Number(height)}\"/>");
        }
    }

    private static void Begin(Html page, string title, string most, string least)
    {
        page.Raw("<figure><figcaption>").Text(title).Raw("</figcaption><div class=\"plot\"><div class=\"scale\"><span>").Text(most).Raw("</span><span>").Text(least)
            .Raw($"</span></div><svg viewBox=\"0 0 {Width} {Height}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{Html.Encode($"{title}: from {least} to {most}")}\">");
    }

    private static void End(Html page, string left, string right) =>
        page.Raw("</svg></div><div class=\"dates\"><span>").Text(left).Raw("</span><span>").Text(right).Raw("</span></div></figure>");

    private static string Path(List<(double X, double Y)> points, int width, int height, int margin)
    {
        var (left, right) = (points[0].X, points.Max(p => p.X));
        var (least, most) = (points.Min(p => p.Y), points.Max(p => p.Y));
        var path = new StringBuilder();
        foreach (var (x, y) in points)
        {
            var across = right > left ? Math.Max(0, x - left) / (right - left) * width : 0;
            var up = most > least ? (y - least) / (most - least) : 0.5;
            path.Append(path.Length == 0 ? 'M' : 'L').Append(Html.Number(across)).Append(' ').Append(Html.Number(height - margin - (up * (height - (2 * margin)))));
        }

        return path.ToString();
    }
}
