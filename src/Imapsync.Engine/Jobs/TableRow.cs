using System.Collections.Immutable;
using Imapsync.Engine.Tables;

namespace Imapsync.Engine.Jobs;

/// <summary>A CSV file of accounts.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Secrets">The numbers, from 0, of columns that hold passwords and the like.</param>
public sealed record AccountTable(string Path, CsvForm Form, ImmutableArray<string> Columns, ImmutableArray<int> Secrets);

/// <summary>The row that a job was made of.</summary>
/// <param name="Line">Where it begins, from 1.</param>
public sealed record TableRow(AccountTable Table, int Line);
