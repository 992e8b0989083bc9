using Imapsync.Engine.Files;
using nietras.SeparatedValues;

namespace Imapsync.Engine.Tables;

/// <summary>Reads a CSV file row by row in bounded memory. The first row is the header.</summary>
public sealed class CsvReader : IRowReader
{
    /// <summary>Larger files are refused unread; a million accounts fit in this size.</summary>
    public const long MaxBytes = 256 << 20;

    public const int MaxColumns = 256;

    private readonly CsvText text;
    private readonly SepReader rows;

    private CsvReader(CsvText text, SepReader rows) => (this.text, this.rows) = (text, rows);

    /// <summary>The header row, without blanks at the ends.</summary>
    public IReadOnlyList<string> Columns { get; private set; } = [];

    public int Line { get; private set; }

    /// <summary>The cells of the current row without their quotes. Their number may differ from the number of columns.</summary>
    public string[] Cells { get; private set; } = [];

    public char Delimiter => text.Delimiter;

    /// <summary>Returns whether the file can be read twice; false for a pipe, which delivers its content only once.</summary>
    public static bool CanReadAgain(string path) => !Pipes.IsPipe(path);

    /// <exception cref="TableException"/>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    public static CsvReader Open(string path, CsvForm form) => Read(Pipes.OpenRead(path, TimeProvider.System, CancellationToken.None).GetAwaiter().GetResult(), form);

    /// <param name="file">Is disposed of with the reader.</param>
    /// <exception cref="TableException"/>
    public static CsvReader Read(Stream file, CsvForm form)
    {
        CsvText? source = null;
        try
        {
            if (file.CanSeek && file.Length > MaxBytes)
                throw new TableException(0, 0, $"the file is larger than {MaxBytes >> 20} MiB", "split it");
            source = new CsvText(file, form);
            var parser = Sep.New(source.Delimiter).Reader(o => o with { HasHeader = false, Unescape = true, DisableColCountCheck = true }).From(source);
            var reader = new CsvReader(source, parser);
            if (!reader.ReadRow())
                throw new TableException(1, 0, "there is no header row", "name the columns in the first line, for example user,password");
            reader.Columns = [.. reader.Cells.Select(c => c.Trim())];
            CheckHeader(reader.Line, reader.Columns);
            return reader;
        }
        catch
        {
            source?.Dispose();
            file.Dispose();
            throw;
        }
    }

    public bool ReadRow()
    {
        if (!rows.MoveNext())
            return false;
        var row = rows.Current;
        var line = text.RowLines.Dequeue();
        if (row.ColCount > MaxColumns)
            throw new TableException(line, 0, $"this row has more than {MaxColumns} cells", "look whether this is a CSV file");
        var cells = new string[row.ColCount];
        for (var i = 0; i < cells.Length; i++)
            cells[i] = row[i].ToString();
        (Line, Cells) = (line, cells);
        return true;
    }

    public void Dispose()
    {
        rows.Dispose();
        text.Dispose();
    }

    private static void CheckHeader(int line, IReadOnlyList<string> columns)
    {
        for (var i = 0; i < columns.Count; i++)
        {
            if (columns[i].Length == 0)
                throw new TableException(line, i + 1, "this column has no name", "name each column in the first line");
            if (columns[i].Any(c => char.IsControl(c) || c is '{' or '}'))
                throw new TableException(line, i + 1, "this column's name holds a character that it can't", "use letters and digits");
            for (var other = 0; other < i; other++)
            {
                if (columns[other] == columns[i])
                    throw new TableException(line, i + 1, $"there are two columns of the name '{columns[i]}'", "give each a name of its own");
            }
        }
    }
}
