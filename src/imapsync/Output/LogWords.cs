using System.Text;

namespace Imapsync.CommandLine.Output;

/// <summary>A writer for messages to people. Each complete line goes to a log, and the text also to a terminal if there is one.</summary>
/// <param name="write">Receives each line without its line break.</param>
/// <param name="besides">Receives the same text unchanged; null for none.</param>
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

    public override void WriteLine(string? value)
    {
        lock (gate)
        {
            besides?.WriteLine(value);
            foreach (var c in value ?? "")
                Add(c);
            Add('\n');
        }
    }

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

        // The summary puts terminal colours around whole lines; they are removed from the log.
        var text = line.Replace("\u001b[31m", "").Replace("\u001b[33m", "").Replace("\u001b[0m", "").ToString();
        line.Clear();
        write(text);
    }
}
