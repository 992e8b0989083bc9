using System.Collections.Immutable;
using Imapsync.Engine.Files;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Tables;

namespace Imapsync.Engine.Configuration;

/// <summary>
/// Makes jobs of one entry of <c>jobs:</c> that has <c>for_each</c>: one for each row of a CSV file, or of a list that is written out.
/// Rows are read one by one; of each only its job is kept.
/// </summary>
internal sealed class RowJobsReader(JobReadContext reading)
{
    /// <summary>More accounts than anybody moves by one file.</summary>
    private const int MaxRows = 1_000_000;

    private static readonly ImmutableArray<SettingKey> FormKeys =
    [
        new("file", SettingShape.Text, "accounts.csv") { IsRequired = true },
        new("delimiter", SettingShape.Text, "\";\""),
        new("encoding", SettingShape.Choice, "utf-8 | latin-1") { Choices = ["utf-8", "latin-1"] },
    ];

    // What the job file itself does wrong is wrong in each row, and told once.
    private readonly HashSet<ConfigurationError> told = [];
    private readonly HashSet<string> noted = new(StringComparer.Ordinal);
    private readonly HashSet<string> lookedInto = new(StringComparer.Ordinal);
    private List<ReadJob> jobs = [];
    private string? shownTable;

    private bool IsFull => told.Count > SchemaCheck.MaxErrors;

    /// <summary>All that was read so far has all its jobs.</summary>
    public bool IsWhole { get; private set; } = true;

    public List<ReadJob> Read(SettingNode job)
    {
        jobs = [];
        var before = reading.Errors.Count;
        var each = job["for_each"]!;
        if (each.Kind == SettingKind.Value)
            ReadFile(job, each, new CsvForm());
        else if (each.IsSequence)
            ReadList(job, each);
        else if (each is { Kind: SettingKind.Mapping } && ReadForm(each) is { } form)
            ReadFile(job, each["file"]!, form);
        else if (each.Kind == SettingKind.Nothing)
            reading.Error(each.KeyOrigin, "'for_each' has no value", "give it a CSV file: for_each: accounts.csv");
        reading.Errors.AddRange(told);
        IsWhole &= reading.Errors.Count == before;
        return jobs;
    }

    private CsvForm? ReadForm(SettingNode each)
    {
        var before = reading.Errors.Count;
        SchemaCheck.Check(each, FormKeys, reading.Errors);
        if (reading.Errors.Count > before)
            return null;
        var delimiter = each.Text("delimiter") is { } text ? text.Equals("tab", StringComparison.OrdinalIgnoreCase) ? "\t" : text : null;
        if (delimiter is null or "\t" || (delimiter is [> ' ' and <= '~' and not ('"' or '#') and var one] && !char.IsAsciiLetterOrDigit(one)))
            return new CsvForm(delimiter?[0], each.Text("encoding") == "latin-1");
        reading.Error(each.Origin("delimiter"), "this is no delimiter", "write one character, for example \";\", or tab");
        return null;
    }

    private void ReadFile(SettingNode job, SettingNode file, CsvForm form)
    {
        if (reading.Resolve(file.ValueOrigin, file.Value!) is not { } path)
            return;
        var shown = shownTable = file.Value!;
        try
        {
            using var csv = reading.Options.OpenTable is { } open ? CsvReader.Read(open(path), form) : CsvReader.Open(path, form);
            var before = reading.Errors.Count;
            var template = new RowTemplate(job, csv.Columns, shown, reading.Errors);
            var table = new AccountTable(path, form with { Delimiter = csv.Delimiter }, [.. csv.Columns], [.. template.Secrets.Order()]);
            if (template.Secrets.Count > 0)
                reading.NoteWhenReadableByOthers(file.ValueOrigin, path, UnixFileMode.GroupRead | UnixFileMode.OtherRead, $"{shown} holds passwords and");
            if (reading.Errors.Count > before)
                return;
            while (!IsFull && csv.ReadRow())
            {
                var line = csv.Line;
                if (csv.Cells.Length != csv.Columns.Count)
                    Tell(new TableRow(table, line), new ConfigurationError(new SettingOrigin(shown, line, Math.Min(csv.Cells.Length, csv.Columns.Count)), $"this row has {csv.Cells.Length} cells, and there are {csv.Columns.Count} columns", "correct the row; a delimiter inside of a cell needs the cell in quotes"));
                else if (jobs.Count == MaxRows)
                    throw new CsvException(line, 0, $"there are more than {MaxRows} rows", "split the file");
                else
                    ReadRow(template, new JobRow(csv.Cells, column => new SettingOrigin(shown, line, column + 1)), job, new TableRow(table, line));
            }

            if (jobs.Count == 0 && told.Count == 0 && reading.BadRows.Count == 0)
                reading.Error(file.ValueOrigin, $"{shown} has no row below its header", "add one for each account");
        }
        catch (CsvException e)
        {
            reading.Error(new SettingOrigin(shown, e.Line, e.Column), e.Message, e.Remedy);
        }
        catch (Exception e) when (FileErrors.Is(e) || e is NotSupportedException)
        {
            reading.Error(file.ValueOrigin, $"{path} can't be read: {Secrets.Unreadable.Why(e)}", "give a CSV file that this user can read");
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
            // A cell that is not there is an empty one.
            ReadRow(template, new JobRow([.. columns.Select(c => item.Text(c) ?? "")], column => item.Origin(columns[column])), job, null);
        }
    }

    private void ReadRow(RowTemplate template, JobRow row, SettingNode job, TableRow? from)
    {
        var errors = new List<ConfigurationError>();
        var filled = template.Fill(row, errors);
        if (errors.Count == 0)
        {
            // Nobody can be asked for the password of each account.
            var alone = new JobReadContext(reading.FilePath, reading.Options with { Prompt = null }, errors)
            {
                HasSeveralJobs = true,
                TableFile = from?.Table.Path,
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

    /// <summary>A message that repeats what was read must not repeat a password that stands in the wrong column's place. A short one is looked for as messages quote a value: anywhere, it is a part of words.</summary>
    private static ConfigurationError Blot(ConfigurationError error, string secret)
    {
        const int longEnough = 4;
        if (secret.Length == 0)
            return error;
        var message = error.Message.Replace($"'{secret}'", "'…'", StringComparison.Ordinal);
        return error with { Message = secret.Length < longEnough ? message : message.Replace(secret, "…", StringComparison.Ordinal) };
    }

    /// <summary>A row's own mistakes may cost the row alone; those of the job file are everybody's.</summary>
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
