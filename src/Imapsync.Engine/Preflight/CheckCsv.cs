using Imapsync.Engine.Checking;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Tables;

namespace Imapsync.Engine.Preflight;

/// <summary>
/// Writes the results of checking accounts as a table that can be corrected and checked again: the columns of the jobs' CSV file, followed
/// by <c>result</c> and <c>reason</c>.
/// </summary>
public static class CheckCsv
{
    public const string Ok = "ok";
    public const string Failed = "failed";

    /// <summary>The result of a row whose account was not checked, because the command was ended before.</summary>
    public const string Unchecked = "unchecked";

    private const string Result = "result";
    private const string Reason = "reason";

    public static string WordOf(AccountCheck? check) => check is null ? Unchecked : check.IsOk ? Ok : Failed;

    /// <param name="checks">The jobs with the results of checking their accounts; null for a job that was not checked.</param>
    /// <param name="masks">Whether password columns are written with <c>***</c> as values; otherwise they are omitted.</param>
    /// <param name="rows">Opens the jobs' CSV file again if it is not a file on disk; null if it is a file on disk.</param>
    /// <exception cref="IOException">The CSV file can't be read again, or has changed since the jobs were read from it.</exception>
    public static async Task WriteAsync(Stream file, IReadOnlyList<(JobDefinition Job, AccountCheck? Check)> checks, IReadOnlyList<BadRow> badRows, bool masks, Func<Stream>? rows = null)
    {
        var table = checks.Select(c => c.Job.Row?.Table).Concat(badRows.Select(r => r.Row.Table)).Distinct().ToList() is [{ } only] ? only : null;
        await using var csv = new CsvWriter(file, table?.Form.Delimiter ?? ',');
        if (table?.Path is null)
        {
            await csv.WriteAsync("name", Result, Reason);
            foreach (var (job, check) in checks)
                await csv.WriteAsync(CsvWriter.Inert(job.Name), WordOf(check), CsvWriter.Inert(check?.Reason ?? ""));
            foreach (var bad in badRows)
                await csv.WriteAsync($"{bad.Row.Table.Name}:{bad.Row.Line}", Failed, CsvWriter.Inert(ReasonOf(bad)));
            return;
        }

        var byLine = checks.ToDictionary(c => c.Job.Row!.Line, c => (WordOf(c.Check), c.Check?.Reason ?? ""));
        foreach (var bad in badRows)
            byLine[bad.Row.Line] = (Failed, ReasonOf(bad));
        // Columns named 'result' and 'reason' are left out. They occur when the output of an earlier check was corrected and is checked
        // again.
        List<int> kept = [.. Enumerable.Range(0, table.Columns.Length).Where(i => table.Columns[i] is not (Result or Reason) && (masks || !table.Secrets.Contains(i)))];
        await csv.WriteAsync([.. kept.Select(i => table.Columns[i]), Result, Reason]);
        if (rows is null && !CsvReader.CanReadAgain(table.Path))
            throw new IOException("the table is a pipe, which can't be read once more; name a file in for_each");
        try
        {
            using var again = rows is null ? CsvReader.Open(table.Path, table.Form) : CsvReader.Read(rows(), table.Form);
            await WriteRowsAsync(csv, again, table, kept, byLine);
        }
        catch (TableException e)
        {
            throw new IOException($"{table.Path} was changed meanwhile: {e.Message}", e);
        }
    }

    public static string ReasonOf(BadRow bad) => string.Join("; ", bad.Errors.Select(e => e.Message));

    private static async Task WriteRowsAsync(CsvWriter csv, CsvReader rows, AccountTable table, List<int> kept, Dictionary<int, (string Result, string Reason)> byLine)
    {
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
