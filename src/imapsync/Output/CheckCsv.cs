using Imapsync.Engine.Checking;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Tables;

namespace Imapsync.CommandLine.Output;

/// <summary>The shape of <c>check --csv</c>: the columns of the file that the jobs were made of, then <c>result</c> and <c>reason</c>.</summary>
internal static class CheckCsv
{
    private const string Result = "result";
    private const string Reason = "reason";

    /// <param name="masks">Columns of passwords stay, with <c>***</c> in them; else they are left out.</param>
    /// <exception cref="IOException">The table can't be read once more, or was changed meanwhile.</exception>
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
        // A file that was written here, corrected and checked again has columns of results already.
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
            // Of a row with a cell too few or too many nobody knows which of them is a password.
            var isWhole = rows.Cells.Length == table.Columns.Length;
            await csv.WriteAsync(
                [.. kept.Select(i => !isWhole ? "" : table.Secrets.Contains(i) ? "***" : rows.Cells[i]), found.Result, CsvWriter.Inert(found.Reason)]);
        }
    }
}
