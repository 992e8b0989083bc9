using Imapsync.Engine.Files;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Tables;

namespace Imapsync.Engine.Configuration;

/// <summary>
/// Makes the jobs of an entry of <c>jobs:</c> that has <c>for_each</c>: one job for each row of CSV, entry of LDIF or item of a list in the
/// job file. CSV and LDIF come from a file or from the output of a command. Rows are read one by one and only their jobs are kept in
/// memory.
/// </summary>
internal sealed class RowJobsReader(JobReadContext reading)
{
    /// <summary>The most rows per file, far more than the accounts of any migration.</summary>
    private const int MaxRows = 1_000_000;

    private static readonly string[] OfCsvAlone = ["delimiter", "encoding"];

    // The errors reported so far. A mistake in the job file itself recurs in every row, and this set makes sure that it is reported once.
    private readonly HashSet<ConfigurationError> told = [];
    private readonly HashSet<string> noted = new(StringComparer.Ordinal);
    private readonly HashSet<string> lookedInto = new(StringComparer.Ordinal);
    private List<ReadJob> jobs = [];
    private string? shownTable;

    private bool IsFull => told.Count > SchemaCheck.MaxErrors;

    /// <summary>Whether all rows read so far were valid, so that the jobs are complete.</summary>
    public bool IsWhole { get; private set; } = true;

    public List<ReadJob> Read(SettingNode job)
    {
        jobs = [];
        var before = reading.Errors.Count;
        var each = job["for_each"]!;
        if (each.Kind == SettingKind.Value)
            ReadFile(job, each, IsLdif(each) ? null : new CsvForm());
        else if (each.IsSequence)
            ReadList(job, each);
        else if (each is { Kind: SettingKind.Mapping })
            ReadSection(job, each);
        else if (each.Kind == SettingKind.Nothing)
            reading.Error(each.KeyOrigin, "'for_each' has no value", "give it a CSV file: for_each: accounts.csv");
        reading.Errors.AddRange(told);
        IsWhole &= reading.Errors.Count == before;
        return jobs;
    }

    private static bool IsLdif(SettingNode file) => file.Value!.EndsWith(".ldif", StringComparison.OrdinalIgnoreCase);

    private void ReadSection(SettingNode job, SettingNode each)
    {
        var before = reading.Errors.Count;
        SchemaCheck.Check(each, JobSchema.Rows, reading.Errors);
        if (reading.Errors.Count > before)
            return;
        var (file, command) = (each["file"], each["command"]);
        if (file is not null && command is not null)
            reading.Error(command.KeyOrigin, "'command' contradicts 'file'", "keep one of them");
        if (command is null && each["timeout"] is { } timeout)
            reading.Error(timeout.KeyOrigin, "'timeout' says nothing without 'command'", "remove it");
        var isLdif = each.Text("format") is { } format ? format == "ldif" : file is not null && IsLdif(file);
        foreach (var key in OfCsvAlone.Where(k => isLdif && each[k] is not null))
            reading.Error(each[key]!.KeyOrigin, $"'{key}' is about CSV, and this is LDIF", "remove it");
        var form = isLdif ? null : ReadForm(each);
        var patience = reading.Duration(each, "timeout", atMostADay: true) ?? TimeSpan.FromMinutes(1);
        if (reading.Errors.Count > before)
            return;
        if (command is not null)
            ReadCommand(job, command, patience, form);
        else
            ReadFile(job, file!, form);
    }

    private CsvForm? ReadForm(SettingNode each)
    {
        var delimiter = each.Text("delimiter") is { } text ? text.Equals("tab", StringComparison.OrdinalIgnoreCase) ? "\t" : text : null;
        if (delimiter is null or "\t" || (delimiter is [> ' ' and <= '~' and not ('"' or '#') and var one] && !char.IsAsciiLetterOrDigit(one)))
            return new CsvForm(delimiter?[0], each.Text("encoding") == "latin-1");
        reading.Error(each.Origin("delimiter"), "this is no delimiter", "write one character, for example \";\", or tab");
        return null;
    }

    /// <param name="form">The form of the CSV; null for LDIF.</param>
    private void ReadFile(SettingNode job, SettingNode file, CsvForm? form)
    {
        if (reading.Resolve(file.ValueOrigin, file.Value!) is not { } path)
            return;
        ReadTable(job, file.ValueOrigin, file.Value!, path, form, () =>
        {
            if (reading.Options.OpenTable is { } open)
                return form is not null ? CsvReader.Read(open(path), form) : throw OnlyCsvIsHandedOver();
            if (form is not null)
                return CsvReader.Open(path, form);
            using var ldif = Pipes.OpenRead(path, TimeProvider.System, CancellationToken.None).GetAwaiter().GetResult();
            return LdifReader.Read(ldif);
        });
    }

    private void ReadCommand(SettingNode job, SettingNode command, TimeSpan timeout, CsvForm? form) => ReadTable(job, command.ValueOrigin, $"output of 'command' at {command.ValueOrigin with { Column = 0 }}", null, form, () =>
    {
        if (reading.Options.OpenTable is not null)
            throw OnlyCsvIsHandedOver();
        var output = RowsCommand.Run(command.Value!, timeout, reading.Options.Time, reading.Options.Stop);
        return form is not null ? CsvReader.Read(output, form) : LdifReader.Read(output);
    });

    private static NotSupportedException OnlyCsvIsHandedOver() => new("here the rows are handed over as a CSV file, beside the job file");

    /// <param name="shown">The name of the file or command in error texts.</param>
    /// <param name="path">The absolute path of the file; null for the output of a command.</param>
    private void ReadTable(SettingNode job, SettingOrigin origin, string shown, string? path, CsvForm? form, Func<IRowReader> open)
    {
        shownTable = shown;
        try
        {
            using var rows = open();
            var before = reading.Errors.Count;
            var template = new RowTemplate(job, rows.Columns, shown, reading.Errors);
            var csv = rows as CsvReader;
            var table = new AccountTable(shown, csv is null ? null : path, (form ?? new CsvForm()) with { Delimiter = csv?.Delimiter }, [.. rows.Columns], [.. template.Secrets.Order()]);
            if (template.Secrets.Count > 0 && path is not null)
                reading.NoteWhenReadableByOthers(origin, path, UnixFileMode.GroupRead | UnixFileMode.OtherRead, $"{shown} holds passwords and");
            if (reading.Errors.Count > before)
                return;
            var passedOver = 0;
            while (!IsFull && rows.ReadRow())
            {
                var (line, cells) = (rows.Line, rows.Cells);
                if (cells.Length != rows.Columns.Count)
                    Tell(new TableRow(table, line), new ConfigurationError(new SettingOrigin(shown, line, Math.Min(cells.Length, rows.Columns.Count)), $"this row has {cells.Length} cells, and there are {rows.Columns.Count} columns", "correct the row; a delimiter inside of a cell needs the cell in quotes"));
                else if (csv is null && !template.Concerns(cells))
                    passedOver++;
                else if (jobs.Count == MaxRows)
                    throw new TableException(line, 0, $"there are more than {MaxRows} rows", "split the file");
                else
                    ReadRow(template, new JobRow(cells, column => new SettingOrigin(shown, line, csv is null ? 0 : column + 1)) { TroubleOf = rows.TroubleOf }, job, new TableRow(table, line));
            }

            // An LDAP directory also has entries that are no accounts, such as the organizational units above them. No job is made from
            // those.
            if (passedOver > 0)
                reading.Note(origin, $"{shown}: entries with none of the attributes that the job uses, which make no job: {passedOver}");
            if (jobs.Count == 0 && told.Count == 0 && reading.BadRows.Count == 0)
                reading.Error(origin, csv is null ? $"{shown} has no entry with an attribute that the job uses" : $"{shown} has no row below its header", "add one for each account");
        }
        catch (TableException e)
        {
            reading.Error(e.Line > 0 ? new SettingOrigin(shown, e.Line, e.Column) : path is null ? origin : new SettingOrigin(shown), e.Message, e.Remedy);
        }
        catch (Exception e) when (FileErrors.Is(e) || e is NotSupportedException)
        {
            reading.Error(origin, $"{path ?? shown} can't be read: {Secrets.Unreadable.Why(e)}", "give a file that this user can read");
        }
    }

    private void ReadList(SettingNode job, SettingNode list)
    {
        var before = reading.Errors.Count;
        List<SettingNode> items = [.. list.Items];
        foreach (var item in items.Where(i => i.Kind != SettingKind.Mapping || !i.Children.Any() || i.Children.Any(c => c.Kind != SettingKind.Value)))
            reading.Error(item.ValueOrigin, "an entry of 'for_each' must be a mapping of texts", "write it like this: - { user: alice, password_file: alice.txt }");
        if (items.Count == 0)
            reading.Error(list.ValueOrigin, "'for_each' is empty", "add an entry for each account");
        if (reading.Errors.Count > before)
            return;
        List<string> columns = [.. items.SelectMany(i => i.Children.Select(c => c.Key)).Distinct(StringComparer.Ordinal)];
        var template = new RowTemplate(job, columns, "the list of 'for_each'", reading.Errors);
        if (reading.Errors.Count > before)
            return;
        foreach (var item in items.TakeWhile(_ => !IsFull))
        {
            // If an item of the list lacks a key that other items have, its cell counts as empty.
            ReadRow(template, new JobRow([.. columns.Select(c => item.Text(c) ?? "")], column => item.Origin(columns[column])), job, null);
        }
    }

    private void ReadRow(RowTemplate template, JobRow row, SettingNode job, TableRow? from)
    {
        var errors = new List<ConfigurationError>();
        var filled = template.Fill(row, errors);
        if (errors.Count == 0)
        {
            // The prompt is removed, since a person can't be asked for the password of each account.
            var alone = new JobReadContext(reading.FilePath, reading.Options with { Prompt = null }, errors)
            {
                HasSeveralJobs = true,
                TableFile = from is null ? null : from.Table.Path ?? "",
                TableName = row.OriginOf(0).Text,
                LookedInto = lookedInto,
            };
            SchemaCheck.Check(filled, JobSchema.Job, errors);
            var read = new JobReader(alone).Read(filled);
            if (read is not null && (errors.Count == 0 || !reading.Options.KeepsBadRows))
                jobs.Add(read.Definition is null ? read : read with { Definition = read.Definition with { Row = from } });
            foreach (var note in alone.Notes.Where(n => noted.Add(n.Message)))
                reading.Notes.Add(note);
        }

        if (errors.Count > 0)
            Tell(from, [.. errors.Select(error => template.Secrets.Aggregate(error, (e, column) => Blot(e, row.Cells[column])))]);
    }

    /// <summary>
    /// Removes a secret from an error, since a password in the wrong column could be quoted there. A short secret is removed only where it
    /// is quoted; elsewhere the same letters are probably part of ordinary words.
    /// </summary>
    private static ConfigurationError Blot(ConfigurationError error, string secret)
    {
        const int longEnough = 4;
        if (secret.Length == 0)
            return error;
        var message = error.Message.Replace($"'{secret}'", "'…'", StringComparison.Ordinal);
        return error with { Message = secret.Length < longEnough ? message : message.Replace(secret, "…", StringComparison.Ordinal) };
    }

    /// <summary>Records errors. Errors in the row itself may invalidate only that row; errors in the job file concern all rows.</summary>
    private void Tell(TableRow? row, params IReadOnlyList<ConfigurationError> errors)
    {
        var isRowsOwn = row is not null && reading.Options.KeepsBadRows;
        foreach (var error in errors)
            isRowsOwn &= error.Origin.Text == shownTable;
        if (isRowsOwn)
            reading.BadRows.Add(new BadRow(row!, [.. errors]));
        else
            told.UnionWith(errors);
    }
}
