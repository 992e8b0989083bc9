using System.Text;
using System.Text.RegularExpressions;

namespace Imapsync.CommandLine.Output;

/// <summary>
/// A terminal that breaks too wide lines between words and indents the continuation. Only <c>WriteLine</c> does so. Text without a line end
/// is written unchanged, because it may be terminal control codes.
/// </summary>
/// <param name="columns">Returns the terminal's present width in columns.</param>
internal sealed partial class WrappedLines(TextWriter inner, Func<int> columns) : TextWriter
{
    /// <summary>On a terminal with fewer columns, lines are not broken, since the result would not be readable either.</summary>
    private const int Narrowest = 20;

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => inner.Write(value);

    public override void Write(string? value) => inner.Write(value);

    public override void Write(char[] buffer, int index, int count) => inner.Write(buffer, index, count);

    public override void WriteLine(string? value) => inner.WriteLine(string.Join('\n', (value ?? "").Split('\n').Select(line => Lay(line, columns()))));

    public override Task WriteLineAsync(string? value)
    {
        WriteLine(value);
        return Task.CompletedTask;
    }

    public override void Flush() => inner.Flush();

    /// <summary>Returns a line with line breaks inserted, so that it fits the width. A word that is wider gets a line of its own.</summary>
    /// <param name="width">The most columns of a line.</param>
    public static string Lay(string line, int width)
    {
        if (width < Narrowest || Cells(line) <= width)
            return line;
        var indent = new string(' ', Math.Min(line.Length - line.TrimStart(' ').Length + 2, width / 2));
        var (laid, used, hasWord) = (new StringBuilder(), 0, false);
        foreach (var part in Words().Matches(line).Select(m => m.Value))
        {
            var word = part;
            if (hasWord && used + Cells(part) > width)
            {
                word = part.TrimStart(' ');
                laid.Append('\n').Append(indent);
                used = indent.Length;
            }

            laid.Append(word);
            used += Cells(word);
            hasWord = true;
        }

        return laid.ToString();
    }

    private static int Cells(string text) => LiveRows.Cells(Colours().Replace(text, ""));

    /// <summary>Matches a word together with the blanks before it.</summary>
    [GeneratedRegex("^ *[^ ]+| +[^ ]*", RegexOptions.None, 60_000)]
    private static partial Regex Words();

    [GeneratedRegex("\u001b\\[[0-9;]*m", RegexOptions.None, 60_000)]
    private static partial Regex Colours();
}
