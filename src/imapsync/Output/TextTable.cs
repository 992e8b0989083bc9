using System.Globalization;

namespace Imapsync.CommandLine.Output;

/// <summary>Prints plain-text tables, for terminals and pipes alike.</summary>
internal static class TextTable
{
    /// <param name="leftColumns">The number of left-aligned columns; the others contain numbers and are right-aligned.</param>
    public static void Print(IReadOnlyList<string[]> rows, int leftColumns, TextWriter output)
    {
        var widths = Enumerable.Range(0, rows.Max(r => r.Length)).Select(c => rows.Max(r => Width(r[c]))).ToArray();
        foreach (var row in rows)
        {
            var cells = row.Select((cell, column) => column < leftColumns
                ? cell + new string(' ', widths[column] - Width(cell))
                : new string(' ', widths[column] - Width(cell)) + cell);
            output.WriteLine($"  {string.Join("  ", cells)}".TrimEnd());
        }
    }

    private static int Width(string cell) => new StringInfo(cell).LengthInTextElements;
}
