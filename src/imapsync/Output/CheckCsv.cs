using Imapsync.Engine.Checking;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Tables;

namespace Imapsync.CommandLine.Output;

/// <summary>Writes <c>check --csv</c>: the columns of the jobs' CSV file, followed by <c>result</c> and <c>reason</c>.</summary>
internal static class CheckCsv
{
    private const string Result = "result";
    private const string Reason = "reason";

    /// <param name="masks">Whether password columns are written with <c>***</c> as values; otherwise they are omitted.</param>
    /// <exception cref="IOException">The CSV file can't be read again, or has changed since.</exception>
    public static async Task WriteAsync(Stream file, IReadOnlyList<(JobDefinition Job, AccountCheck Check)> checks, IReadOnlyList<BadRow> badRows, bool masks)
    {
        var table = checks.Select(c => c.Job.Row?.Table).Concat(badRows.Select(r => r.Row.Table)).Distinct().ToList() is [{ } only] ? only : null;
        await using var csv = new CsvWriter(file, table?.Form.Delimiter ?? ',');
        if (table?.Path is null)
        {
            await csv.WriteAsync("name", Result, Reason);
            foreach (var (_, check) in checks)
                await csv.WriteAsync(CsvWriter.Inert(check.Job), CheckText.WordOf(check), CsvWriter.Inert(CheckText.Reason(check)));
            foreach (var bad in badRows)
                await csv.WriteAsync($"{bad.Row.Table.Name}:{bad.Row.Line}", CheckText.Failed, CsvWriter.Inert(ReasonOf(bad)));
            return;
        }

        var byLine = checks.ToDictionary(c => c.Job.Row!.Line, c => (CheckText.WordOf(c.Check), CheckText.Reason(c.Check)));
        foreach (var bad in badRows)
            byLine[bad.Row.Line] = (CheckText.Failed, ReasonOf(bad));
        // Existing result columns are omitted. They occur when an output of this command was corrected and checked again.
        List<int> kept = [.. Enumerable.Range(0, table.Columns.Length).Where(i => table.Columns[i] is not (Result or Reason) && (masks || !table.Secrets.Contains(i)))];
        await csv.WriteAsync([.. kept.Select(i => table.Columns[i]), Result, Reason]);
        if (!CsvReader.CanReadAgain(table.Path))
            throw new IOException("the table is a pipe, which can't be read once more; name a file in for_each");
        try
        {
            await WriteRowsAsync(csv, table.Path, table, kept, byLine);
        }
        catch (TableException e)
        {
            throw new IOException($"{table.Path} was changed meanwhile: {e.Message}", e);
        }
    }

    private static string ReasonOf(BadRow bad) => string.Join("; ", bad.Errors.Select(e => e.Message));

    private static async Task WriteRowsAsync(CsvWriter csv, string path, AccountTable table, List<int> kept, Dictionary<int, (string Result, string Reason)> byLine)
    {
        using var rows = CsvReader.Open(path, table.Form);
        while (rows.ReadRow())
        {
            if (!byLine.TryGetValue(rows.Line, out var found))
                continue;
            // In a row with the wrong number of cells, any cell could be the password, so all are left empty.
            var isWhole = rows.Cells.Length == table.Columns.Length;
            await csv.WriteAsync(
                [.. kept.Select(i => !isWhole ? "" : table.Secrets.Contains(i) ? "***" : rows.Cells[i]), found.Result, CsvWriter.Inert(found.Reason)]);
        }
    }
}
