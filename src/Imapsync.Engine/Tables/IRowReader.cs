namespace Imapsync.Engine.Tables;

/// <summary>Rows of accounts, each with a cell for every column, read one after the other.</summary>
public interface IRowReader : IDisposable
{
    IReadOnlyList<string> Columns { get; }

    /// <summary>Where the row begins, from 1.</summary>
    int Line { get; }

    /// <summary>Of the row. Another array for each row; what is not there is an empty cell.</summary>
    string[] Cells { get; }

    /// <summary>Goes on to the next row that is not empty; false at the end.</summary>
    /// <exception cref="TableException">What stands there can't be read, and nothing behind it.</exception>
    bool ReadRow();

    /// <summary>Why a cell of the row is no value, and what to do; null where it is one. Neither text repeats it.</summary>
    (string Message, string Remedy)? TroubleOf(int column) => null;
}
