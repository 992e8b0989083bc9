using System.Text;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Mail;

namespace Imapsync.CommandLine;

/// <summary>Asks for a secret on the terminal without showing what is typed.</summary>
internal sealed class TerminalPrompt(TimeProvider time)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(30);

    public async ValueTask<Secret> AskAsync(string question, CancellationToken cancellationToken)
    {
        Console.Error.Write($"{TerminalText.Escape(question)}: ");
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
                    return new Secret(typed.ToString());
                if (key.Key == ConsoleKey.Backspace)
                    typed.Length = Math.Max(0, typed.Length - 1);
                else if (key.Key == ConsoleKey.U && key.Modifiers == ConsoleModifiers.Control)
                    typed.Clear();
                else if (!char.IsControl(key.KeyChar))
                    typed.Append(key.KeyChar);
            }
        }
        finally
        {
            Console.Error.WriteLine();
        }
    }
}
