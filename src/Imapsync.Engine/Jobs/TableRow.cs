using System.Collections.Immutable;
using Imapsync.Engine.Tables;

namespace Imapsync.Engine.Jobs;

/// <summary>A list of accounts.</summary>
/// <param name="Name">The name of the list in the job file.</param>
/// <param name="Path">The absolute path of the CSV file; null for LDIF and for the output of a command.</param>
/// <param name="Secrets">The numbers, from 0, of the columns that hold secrets such as passwords.</param>
public sealed record AccountTable(string Name, string? Path, CsvForm Form, ImmutableArray<string> Columns, ImmutableArray<int> Secrets);

/// <summary>The CSV row from which a job was created.</summary>
/// <param name="Line">The number of the row's first line, from 1.</param>
public sealed record TableRow(AccountTable Table, int Line);
