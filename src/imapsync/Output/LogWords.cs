using System.Text;

namespace Imapsync.CommandLine.Output;

/// <summary>Words to people, each line of them handed on as one: to a log, and to a terminal besides where there is one.</summary>
/// <param name="write">Gets a line without its end.</param>
/// <param name="besides">Gets the same as it comes; null for nobody.</param>
internal sealed class LogWords(Action<string> write, TextWriter? besides) : TextWriter
{
    private readonly Lock gate = new();
    private readonly StringBuilder line = new();

    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value)
    {
        lock (gate)
        {
            besides?.Write(value);
            Add(value);
        }
    }

    public override void Write(string? value)
    {
        lock (gate)
        {
            besides?.Write(value);
            foreach (var c in value ?? "")
                Add(c);
        }
    }

    public override void WriteLine(string? value) => Write(value + "\n");

    public override Task WriteLineAsync(string? value)
    {
        WriteLine(value);
        return Task.CompletedTask;
    }

    private void Add(char c)
    {
        if (c != '\n')
        {
            line.Append(c);
            return;
        }

        // A terminal's colours, which the summary has around a whole line.
        var text = line.Replace("\u001b[31m", "").Replace("\u001b[33m", "").Replace("\u001b[0m", "").ToString();
        line.Clear();
        write(text);
    }
}
