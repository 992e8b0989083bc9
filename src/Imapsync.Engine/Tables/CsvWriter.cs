using System.Text;

namespace Imapsync.Engine.Tables;

/// <summary>Writes rows of a CSV file (RFC 4180): UTF-8, lines ended by CRLF, a cell in quotes where it needs them.</summary>
public sealed class CsvWriter(Stream file, char delimiter = ',') : IAsyncDisposable
{
    private readonly StreamWriter text = new(file, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\r\n" };

    public async Task WriteAsync(params IReadOnlyList<string> cells)
    {
        var line = new StringBuilder();
        for (var i = 0; i < cells.Count; i++)
        {
            if (i > 0)
                line.Append(delimiter);
            Append(line, cells[i]);
        }

        // An empty line would not be read as a row, so a single empty cell is written as "".
        await text.WriteLineAsync(line.Length == 0 ? line.Append("\"\"") : line);
    }

    /// <summary>
    /// Returns text from outside, such as a server's words, in a form that is safe for spreadsheets. Text that begins like a formula gets
    /// an apostrophe in front.
    /// </summary>
    public static string Inert(string text) => text.Length > 0 && text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' ? "'" + text : text;

    public async ValueTask DisposeAsync() => await text.DisposeAsync();

    private void Append(StringBuilder line, string cell)
    {
        // A row that begins with # would be read as a comment, so such a cell is quoted.
        if (cell.Length > 0 && cell[0] != '#' && cell.AsSpan().IndexOfAny('"', '\r', '\n') < 0 && !cell.Contains(delimiter, StringComparison.Ordinal))
            line.Append(cell);
        else if (cell.Length > 0)
            line.Append('"').Append(cell.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
    }
}
