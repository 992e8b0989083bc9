namespace Imapsync.Engine.Tables;

/// <summary>How a CSV file is written, as far as it can't be seen from it.</summary>
/// <param name="Delimiter">Null: the one of <c>, ; | TAB</c> that the first line has most of.</param>
/// <param name="IsLatin1">ISO 8859-1 in place of UTF-8.</param>
public sealed record CsvForm(char? Delimiter = null, bool IsLatin1 = false);
