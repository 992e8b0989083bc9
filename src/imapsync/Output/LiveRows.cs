using System.Text;
using Spectre.Console.Rendering;

namespace Imapsync.CommandLine.Output;

/// <summary>
/// Fits rows into the width of a terminal, one line each. The first cell, a name, is always shown, and the last cell gets the remaining
/// width. If the width is too small, the columns between them are dropped, the least important first.
/// </summary>
internal static class LiveRows
{
    private const int Gap = 2;
    private const int LeastName = 12;

    /// <param name="rows">Escaped rows, all of the same length.</param>
    /// <param name="rest">The minimum width for the last cell, if its text needs it.</param>
    /// <param name="dispensable">The columns that may be dropped, in this order.</param>
    public static IEnumerable<string> Lay(IReadOnlyList<string[]> rows, int width, int rest, params ReadOnlySpan<int> dispensable)
    {
        if (rows.Count == 0)
            return [];
        var last = rows[0].Length - 1;
        var widths = new int[last];
        for (var column = 0; column < last; column++)
            widths[column] = rows.Max(r => Cells(r[column]));
        widths[0] = Math.Min(widths[0], Math.Max(LeastName, width / 3));
        rest = Math.Min(rest, rows.Max(r => Cells(r[last])));
        foreach (var column in dispensable)
        {
            if (Used(widths) + rest > width)
                widths[column] = 0;
        }

        return [.. rows.Select(row => Line(row, widths, width))];
    }

    /// <summary>Truncates a text to the width, with an ellipsis where it was cut.</summary>
    public static string Fit(string text, int width)
    {
        if (Cells(text) <= width)
            return text;
        var (fitting, used) = (new StringBuilder(), 0);
        foreach (var rune in text.EnumerateRunes())
        {
            used += Cells(rune.ToString());
            if (used >= width)
                break;
            fitting.Append(rune.ToString());
        }

        return width > 0 ? fitting.Append('…').ToString() : "";
    }

    public static int Cells(string text) => new Segment(text).CellCount();

    private static int Used(int[] widths) => widths.Sum(w => w == 0 ? 0 : w + Gap);

    private static string Line(string[] row, int[] widths, int width)
    {
        var line = new StringBuilder();
        for (var column = 0; column < widths.Length; column++)
        {
            if (widths[column] == 0)
                continue;
            var cell = Fit(row[column], widths[column]);
            line.Append(cell).Append(' ', widths[column] - Cells(cell) + Gap);
        }

        line.Append(Fit(row[^1], Math.Max(0, width - Used(widths))));
        return Fit(line.ToString().TrimEnd(), width);
    }
}
