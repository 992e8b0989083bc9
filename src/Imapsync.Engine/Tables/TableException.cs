namespace Imapsync.Engine.Tables;

/// <summary>An error in a CSV or LDIF file. The texts repeat no cell, because it may be a password.</summary>
/// <param name="line">The number of the line, from 1; 0 for the file as a whole.</param>
/// <param name="column">The number of the cell in its row, from 1; 0 for the row as a whole.</param>
public sealed class TableException(int line, int column, string message, string remedy) : Exception(message)
{
    public int Line => line;

    public int Column => column;

    public string Remedy => remedy;
}
