using System.Text;

namespace Imapsync.Engine.Tables;

/// <summary>
/// Reads the text of a CSV file (RFC 4180) for the parser, without empty lines and comments (lines that start with # outside of quotes).
/// Refuses input that would cost much memory or could be misread: rows without an end, NUL, quotes in the middle of a cell.
/// </summary>
internal sealed class CsvText : TextReader
{
    public const int MaxRowLength = 64 << 10;

    private readonly StreamReader text;
    private readonly char[] block = new char[16 << 10];
    private int filled;
    private int position;
    private int line = 1;
    private int rowStart = 1;
    private int rowLength;
    private char before = '\n';
    private State state = State.CellStart;
    private bool isRowStart = true;
    private bool isLeftOut;

    /// <param name="form">The file's form. If its delimiter is null, the first line decides it.</param>
    /// <exception cref="TableException">The first line is not a row.</exception>
    public CsvText(Stream file, CsvForm form)
    {
        Encoding encoding = form.IsLatin1 ? Encoding.Latin1 : new UTF8Encoding(false, throwOnInvalidBytes: true);
        text = new StreamReader(file, encoding, detectEncodingFromByteOrderMarks: false);
        Fill();
        if (filled > 0 && block[0] == '\uFEFF')
            position = 1;
        Delimiter = form.Delimiter ?? Detect();
    }

    private enum State
    {
        CellStart,
        Plain,
        Quoted,

        /// <summary>After a quote inside a quoted cell: the cell ends here, or a second quote follows.</summary>
        QuoteInQuoted,
        Comment,
    }

    public char Delimiter { get; }

    /// <summary>
    /// The line of the file at which each row passed to the parser begins. <see cref="CsvReader"/> removes a number when the parser returns
    /// its row. The parser's own line numbers do not count comments and empty lines.
    /// </summary>
    public Queue<int> RowLines { get; } = new();

    public override int Read(char[] buffer, int index, int count) => Read(buffer.AsSpan(index, count));

    public override int Read(Span<char> buffer)
    {
        var written = 0;
        while (written < buffer.Length)
        {
            if (position == filled && !Fill())
            {
                if (state == State.Quoted)
                    throw NotClosed();
                break;
            }

            var c = block[position++];
            if (Take(c))
                buffer[written++] = c;
        }

        return written;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            text.Dispose();
        base.Dispose(disposing);
    }

    private bool Fill()
    {
        position = 0;
        try
        {
            filled = text.ReadBlock(block, 0, block.Length);
        }
        catch (DecoderFallbackException)
        {
            throw new TableException(line, 0, "this is not UTF-8 text, here or some lines below", "save it as CSV UTF-8, or write 'encoding: latin-1' below for_each");
        }

        return filled > 0;
    }

    /// <summary>Processes one character; returns false for a character of a comment.</summary>
    private bool Take(char c)
    {
        if (c == '\0')
            throw new TableException(line, 0, "this is no text: it holds NUL", "give a CSV file, saved as UTF-8");
        var isEnd = c is '\n' or '\r';
        var isSecond = c == '\n' && before == '\r';
        if (isEnd && !isSecond)
            line++;
        before = c;
        if (isEnd && state != State.Quoted)
            return isSecond ? !isLeftOut : EndRow();

        if (++rowLength > MaxRowLength)
            throw state is State.Quoted ? NotClosed() : new TableException(rowStart, 0, $"this row is longer than {MaxRowLength} characters", "look whether this is a CSV file");
        var isComment = state == State.Comment || (isRowStart && c == '#');
        if (isRowStart && !isComment)
            RowLines.Enqueue(rowStart);
        isRowStart = false;
        state = isComment ? State.Comment : state switch
        {
            State.Quoted => c == '"' ? State.QuoteInQuoted : State.Quoted,
            State.QuoteInQuoted when c == '"' => State.Quoted,
            State.QuoteInQuoted when c != Delimiter => throw Misplaced(),
            State.CellStart when c == '"' => State.Quoted,
            State.Plain when c == '"' => throw Misplaced(),
            _ => c == Delimiter ? State.CellStart : State.Plain,
        };
        return !isComment;
    }

    /// <summary>Ends a row; returns false for a comment or an empty line, which are not passed to the parser.</summary>
    private bool EndRow()
    {
        isLeftOut = isRowStart || state == State.Comment;
        (state, isRowStart, rowStart, rowLength) = (State.CellStart, true, line, 0);
        return !isLeftOut;
    }

    private TableException NotClosed() =>
        new(rowStart, 0, "a quote that is opened in this row is not closed", "close it; a quote inside of a cell is written twice, and the cell in quotes");

    private TableException Misplaced() =>
        new(line, 0, "a quote stands in the middle of a cell", "write the cell in quotes, and a quote inside of it twice");

    private char Detect()
    {
        var first = block.AsSpan(position, filled - position);
        while (first.Length > 0 && (first[0] is '#' or '\r' or '\n'))
        {
            var end = first.IndexOfAny('\r', '\n');
            first = end < 0 ? [] : first[(end + 1)..];
        }

        char[] candidates = [',', ';', '\t', '|'];
        var counts = new int[candidates.Length];
        var isQuoted = false;
        foreach (var c in first)
        {
            isQuoted ^= c == '"';
            if (!isQuoted && c is '\r' or '\n')
                break;
            if (!isQuoted && Array.IndexOf(candidates, c) is >= 0 and var at)
                counts[at]++;
        }

        return candidates[Array.IndexOf(counts, counts.Max())];
    }
}
