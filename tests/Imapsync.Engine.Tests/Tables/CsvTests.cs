using System.Text;
using Imapsync.Engine.Tables;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Tables;

/// <summary>CSV files as found in practice are read as this test's simple reader reads them. Invalid ones are refused.</summary>
public sealed class CsvTests
{
    private static readonly string[] Pieces = ["a", "ü", "€", "😀", " ", "\"", "\"\"", ",", ";", "\t", "|", "\r\n", "\n", "\r", "#", "{", "'", "=1", "\\", "x y", "\u00a0"];

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(14)]
    public void Generated_files_are_read_as_an_independent_reader_reads_them(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 300; round++)
        {
            var delimiter = ",;\t|"[random.Next(4)];
            var columns = random.Next(2, 6);
            var text = Generate(random, delimiter, columns, random.Next(1, 30), out var expected, out var lines);
            Assert.Equal(expected, PlainReader.Read(text, delimiter));
            Assert.Equal(expected, Read(Encoding.UTF8.GetBytes(text), new CsvForm(random.Next(2) == 0 ? delimiter : null), lines));
        }
    }

    [Fact]
    public void A_hundred_thousand_rows_are_read_one_by_one()
    {
        var text = new StringBuilder("user,password\n");
        for (var i = 0; i < 100_000; i++)
            text.Append("user").Append(i).Append(",\"p,").Append(i).Append("\"\r\n");
        using var csv = CsvReader.Read(new MemoryStream(Encoding.UTF8.GetBytes(text.ToString())), new CsvForm());
        for (var i = 0; i < 100_000; i++)
        {
            Assert.True(csv.ReadRow());
            Assert.Equal((i + 2, $"user{i}", $"p,{i}"), (csv.Line, csv.Cells[0], csv.Cells[1]));
        }

        Assert.False(csv.ReadRow());
    }

    [Fact]
    public async Task What_is_written_is_read_back()
    {
        var random = new Random(5);
        for (var round = 0; round < 200; round++)
        {
            var delimiter = ",;\t|"[random.Next(4)];
            Generate(random, delimiter, random.Next(1, 5), random.Next(1, 10), out var rows, out _);
            using var file = new MemoryStream();
            await WriteAsync(file, delimiter, rows);
            Assert.Equal(rows, Read(file.ToArray(), new CsvForm(delimiter)));
        }
    }

    [Theory]
    [InlineData("user,password\nalice,\"x\nbob,y\n", 2, 0, "a quote that is opened in this row is not closed")]
    [InlineData("user,password\nalice,ab\"c\n", 2, 0, "a quote stands in the middle of a cell")]
    [InlineData("user,password\nalice,\"ab\"c\n", 2, 0, "a quote stands in the middle of a cell")]
    [InlineData("user,user\n", 1, 2, "there are two columns of the name 'user'")]
    [InlineData("# nothing\n\nuser,,x\n", 3, 2, "this column has no name")]
    [InlineData("", 1, 0, "there is no header row")]
    [InlineData("\n\n# only words\n", 1, 0, "there is no header row")]
    [InlineData("user,password\na\0,b\n", 2, 0, "this is no text: it holds NUL")]
    public void What_can_not_be_right_is_told_with_its_line(string text, int line, int column, string message)
    {
        var failure = Assert.Throws<TableException>(() => Read(Encoding.UTF8.GetBytes(text), new CsvForm()));
        Assert.Equal((line, column, message), (failure.Line, failure.Column, failure.Message));
    }

    [Fact]
    public void Text_that_is_not_UTF8_is_read_only_where_it_is_said_to_be_Latin1()
    {
        var octets = Encoding.Latin1.GetBytes("user,password\njörg,pässword\n");
        Assert.Contains("not UTF-8", Assert.Throws<TableException>(() => Read(octets, new CsvForm())).Message, StringComparison.Ordinal);
        Assert.Equal(["jörg", "pässword"], Read(octets, new CsvForm(IsLatin1: true))[1]);
        Assert.Equal(["user", "password"], Read([0xEF, 0xBB, 0xBF, .. "user,password\n"u8], new CsvForm())[0]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_gigabyte_of_junk_is_refused_early(bool canSeek)
    {
        foreach (var junk in (byte[][])["abcdefg "u8.ToArray(), "\"unclosed,"u8.ToArray(), [0, 1, 2], [0xC3, 0x28]])
        {
            using var endless = new Repeated(junk, canSeek);
            Assert.Throws<TableException>(() => CsvReader.Read(endless, new CsvForm()));
            Assert.InRange(endless.Position, 0, 1 << 20);
        }
    }

    private static async Task WriteAsync(Stream file, char delimiter, IEnumerable<string[]> rows)
    {
        await using var csv = new CsvWriter(file, delimiter);
        foreach (var row in rows)
            await csv.WriteAsync(row);
    }

    /// <param name="lines">The expected line number of the beginning of each row; null to skip this check.</param>
    private static List<string[]> Read(byte[] octets, CsvForm form, IReadOnlyList<int>? lines = null)
    {
        using var csv = CsvReader.Read(new MemoryStream(octets), form);
        List<string[]> rows = [[.. csv.Columns]];
        List<int> begun = [csv.Line];
        while (csv.ReadRow())
        {
            rows.Add(csv.Cells);
            begun.Add(csv.Line);
        }

        Assert.Equal(lines ?? begun, begun);
        return rows;
    }

    /// <summary>
    /// Generates a CSV text with arbitrary cells, comments and empty lines. The header's names contain no delimiter, so that the reader can
    /// detect the delimiter.
    /// </summary>
    private static string Generate(Random random, char delimiter, int columns, int rows, out List<string[]> expected, out List<int> lines)
    {
        lines = [];
        var text = new StringBuilder(random.Next(2) == 0 ? "\uFEFF" : "");
        expected = [[.. Enumerable.Range(0, columns).Select(c => $"column{c}")]];
        for (var row = 0; row <= rows; row++)
        {
            var end = random.Next(3) switch { 0 => "\n", 1 => "\r\n", _ => "\r" };
            while (random.Next(4) == 0)
                text.Append(random.Next(2) == 0 ? "" : "# it's a \"comment, with; anything|in\tit").Append(end);
            if (row > 0)
                expected.Add([.. Enumerable.Range(0, columns).Select(_ => string.Concat(Enumerable.Range(0, random.Next(5)).Select(_ => Pieces[random.Next(Pieces.Length)])))]);
            lines.Add(1 + text.ToString().ReplaceLineEndings("\n").Count(c => c == '\n'));
            // A row with a single empty cell needs quotes, since it would look like an empty line.
            text.AppendJoin(delimiter, expected[^1].Select((c, i) => NeedsQuotes(c, delimiter) || (columns == 1 && c.Length == 0) || (i == 0 && c.StartsWith('#')) || random.Next(6) == 0
                ? $"\"{c.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : c));
            text.Append(row == rows && random.Next(2) == 0 ? "" : end);
        }

        return text.ToString();
    }

    private static bool NeedsQuotes(string cell, char delimiter) => cell.Any(c => c == delimiter || c is '"' or '\r' or '\n');

    /// <summary>Reads the whole text character by character, as simply as possible and without the product's code.</summary>
    private static class PlainReader
    {
        public static List<string[]> Read(string text, char delimiter)
        {
            var rows = new List<string[]>();
            var at = text.StartsWith('\uFEFF') ? 1 : 0;
            while (at < text.Length)
            {
                if (text[at] == '#')
                {
                    while (at < text.Length && text[at] is not ('\r' or '\n'))
                        at++;
                }
                else if (text[at] is '\r' or '\n')
                {
                    at++;
                }
                else
                {
                    rows.Add(ReadRow(text, delimiter, ref at));
                }
            }

            return rows;
        }

        private static string[] ReadRow(string text, char delimiter, ref int at)
        {
            var cells = new List<string>();
            while (true)
            {
                var cell = new StringBuilder();
                if (at < text.Length && text[at] == '"')
                {
                    for (at++; text[at] != '"' || (at + 1 < text.Length && text[at + 1] == '"'); at++)
                    {
                        cell.Append(text[at]);
                        if (text[at] == '"')
                            at++;
                    }

                    at++;
                }
                else
                {
                    for (; at < text.Length && text[at] != delimiter && text[at] is not ('\r' or '\n'); at++)
                        cell.Append(text[at]);
                }

                cells.Add(cell.ToString());
                if (at >= text.Length || text[at] != delimiter)
                    return [.. cells];
                at++;
            }
        }
    }

    /// <summary>A stream that repeats the same octets up to a gigabyte.</summary>
    private sealed class Repeated(byte[] octets, bool canSeek) : Stream
    {
        private long position;

        public override bool CanRead => true;

        public override bool CanSeek => canSeek;

        public override bool CanWrite => false;

        public override long Length => 1L << 30;

        public override long Position { get => position; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            for (var i = 0; i < count; i++)
                buffer[offset + i] = octets[(position + i) % octets.Length];
            position += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
