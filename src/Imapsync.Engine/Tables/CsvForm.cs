namespace Imapsync.Engine.Tables;

/// <summary>How a CSV file is written, as far as it can't be seen from it.</summary>
/// <param name="Delimiter">Null: the one of <c>, ; | TAB</c> that the first line has most of.</param>
/// <param name="IsLatin1">ISO 8859-1 in place of UTF-8.</param>
public sealed record CsvForm(char? Delimiter = null, bool IsLatin1 = false);

/// <summary>What is wrong with a file that should be CSV. Its texts repeat no cell, which may be a password.</summary>
/// <param name="line">From 1; 0 for the file as a whole.</param>
/// <param name="column">The number of the cell in its row, from 1; 0 for the row as a whole.</param>
public sealed class CsvException(int line, int column, string message, string remedy) : Exception(message)
{
    public int Line => line;

    public int Column => column;

    public string Remedy => remedy;
}
