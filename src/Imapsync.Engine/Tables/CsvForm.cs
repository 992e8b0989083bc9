namespace Imapsync.Engine.Tables;

/// <summary>The properties of a CSV file that can't be recognised from its content.</summary>
/// <param name="Delimiter">The delimiter between cells; null for the most frequent of <c>, ; | TAB</c> in the first line.</param>
/// <param name="IsLatin1">True for ISO 8859-1 instead of UTF-8.</param>
public sealed record CsvForm(char? Delimiter = null, bool IsLatin1 = false);
