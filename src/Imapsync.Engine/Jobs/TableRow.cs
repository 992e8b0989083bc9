using System.Collections.Immutable;
using Imapsync.Engine.Tables;

namespace Imapsync.Engine.Jobs;

/// <summary>A list of accounts.</summary>
/// <param name="Name">As the job file calls it.</param>
/// <param name="Path">Of a CSV file, absolute; null for a list that is not read once more.</param>
/// <param name="Secrets">The numbers, from 0, of columns that hold passwords and the like.</param>
public sealed record AccountTable(string Name, string? Path, CsvForm Form, ImmutableArray<string> Columns, ImmutableArray<int> Secrets);

/// <summary>The CSV row from which a job was created.</summary>
/// <param name="Line">The number of the row's first line, from 1.</param>
public sealed record TableRow(AccountTable Table, int Line);
