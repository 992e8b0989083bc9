namespace Imapsync.Engine.Tables;

/// <summary>What is wrong with what should be CSV or LDIF. Its texts repeat no cell, which may be a password.</summary>
/// <param name="line">From 1; 0 for the file as a whole.</param>
/// <param name="column">The number of the cell in its row, from 1; 0 for the row as a whole.</param>
public sealed class TableException(int line, int column, string message, string remedy) : Exception(message)
{
    public int Line => line;

    public int Column => column;

    public string Remedy => remedy;
}
