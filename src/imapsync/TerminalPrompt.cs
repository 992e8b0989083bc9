using System.Text;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Mail;

namespace Imapsync.CommandLine;

/// <summary>Asks a person for a line of text; an empty answer means <paramref name="fallback"/>.</summary>
/// <param name="question">The question, without the default, which the prompt adds.</param>
internal delegate ValueTask<string> LinePrompt(string question, string fallback, CancellationToken cancellationToken);

/// <summary>Asks on the terminal for a line of text, or for a secret without echoing it.</summary>
/// <param name="columns">Returns the terminal's present width in columns; 0 if it is unknown.</param>
internal sealed class TerminalPrompt(TimeProvider time, Func<int> columns)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(30);

    public async ValueTask<Secret> AskAsync(string question, CancellationToken cancellationToken)
    {
        HoldEcho();
        Show($"{TerminalText.Escape(question)}: ");
        return new Secret(await ReadAsync(isShown: false, cancellationToken));
    }

    public async ValueTask<string> AskLineAsync(string question, string fallback, CancellationToken cancellationToken)
    {
        HoldEcho();
        Show($"{TerminalText.Escape(question)}{(fallback.Length > 0 ? $" [{TerminalText.Escape(fallback)}]" : "")}: ");
        var typed = (await ReadAsync(isShown: true, cancellationToken)).Trim();
        return typed.Length > 0 ? typed : fallback;
    }

    private void Show(string question) => Console.Error.Write(WrappedLines.Lay(question, columns()));

    /// <summary>
    /// Makes .NET turn off the terminal's echo before the prompt is shown. Otherwise .NET turns it off at the first read, and the start of
    /// a password that is typed fast would be visible.
    /// </summary>
    private static void HoldEcho() => _ = Console.KeyAvailable;

    private async Task<string> ReadAsync(bool isShown, CancellationToken cancellationToken)
    {
        var typed = new StringBuilder();
        try
        {
            while (true)
            {
                // Console.ReadKey can't be cancelled, so it is only called when it will return at once.
                while (!Console.KeyAvailable)
                    await Task.Delay(PollInterval, time, cancellationToken);
                var key = Console.ReadKey(intercept: true);
                if (key.Key == ConsoleKey.Enter)
                    return typed.ToString();
                if (key.Key == ConsoleKey.Backspace && typed.Length > 0)
                    Erase(typed, 1, isShown);
                else if (key.Key == ConsoleKey.U && key.Modifiers == ConsoleModifiers.Control)
                    Erase(typed, typed.Length, isShown);
                else if (!char.IsControl(key.KeyChar))
                    Add(typed, key.KeyChar, isShown);
            }
        }
        finally
        {
            Console.Error.WriteLine();
        }
    }

    private static void Add(StringBuilder typed, char c, bool isShown)
    {
        typed.Append(c);
        if (isShown)
            Console.Error.Write(c);
    }

    private static void Erase(StringBuilder typed, int count, bool isShown)
    {
        typed.Length -= count;
        if (isShown)
            Console.Error.Write(string.Concat(Enumerable.Repeat("\b \b", count)));
    }
}
