namespace Imapsync.Engine.Tables;

/// <summary>Reads rows of accounts one after the other, each with a cell for every column.</summary>
public interface IRowReader : IDisposable
{
    IReadOnlyList<string> Columns { get; }

    /// <summary>The number of the line where the current row begins, from 1.</summary>
    int Line { get; }

    /// <summary>The cells of the current row, in a new array for each row; a missing cell is an empty text.</summary>
    string[] Cells { get; }

    /// <summary>Moves on to the next row that is not empty. Returns false at the end.</summary>
    /// <exception cref="TableException">The next row and all rows after it can't be read.</exception>
    bool ReadRow();

    /// <summary>
    /// Returns why a cell of the current row is not a valid value, and the remedy. Null if the cell is valid. Neither text repeats the
    /// cell.
    /// </summary>
    (string Message, string Remedy)? TroubleOf(int column) => null;
}
