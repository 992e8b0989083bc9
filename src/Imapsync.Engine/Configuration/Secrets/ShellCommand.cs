using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Imapsync.Engine.Configuration.Secrets;

/// <summary>What a command of the job file gets as its standard input.</summary>
public enum ShellInput
{
    /// <summary>
    /// The command reads from this process's terminal. If this process reads from a pipe or file, the command gets no input, because it
    /// must not consume the input of another program.
    /// </summary>
    Terminal,

    /// <summary>No input.</summary>
    Nothing,

    /// <summary>The text that the caller writes to <see cref="Process.StandardInput"/>. The caller then closes it.</summary>
    Written,
}

/// <summary>
/// Runs a command of the job file by the shell. Its standard output is not shown to anybody; its standard error is shown when the command
/// fails.
/// </summary>
public static class ShellCommand
{
    private const int KeptErrors = 64 * 1024;

    /// <param name="variables">Environment variables that the command gets besides this process's own.</param>
    /// <exception cref="Win32Exception">The shell can't be started.</exception>
    public static Process Start(string command, ShellInput input = ShellInput.Terminal, params IEnumerable<(string Name, string Value)> variables)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", command])
        {
            RedirectStandardInput = input != ShellInput.Terminal || Console.IsInputRedirected,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        var process = Process.Start(start)!;
        if (start.RedirectStandardInput && input != ShellInput.Written)
            process.StandardInput.Close();
        return process;
    }

    /// <summary>Reads a command's standard error to its end, but keeps only the last part of the text in memory.</summary>
    public static async Task<string> LastWordsAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var words = new StringBuilder();
        var buffer = new char[4096];
        int read;
        while ((read = await reader.ReadAsync(buffer, cancellationToken)) > 0)
        {
            words.Append(buffer, 0, read);
            if (words.Length > 2 * KeptErrors)
                words.Remove(0, words.Length - KeptErrors);
        }

        return words.ToString();
    }

    /// <summary>Returns the command's error output as one line behind a colon; empty when there was none.</summary>
    public static string Explain(string errors)
    {
        const int shown = 300;
        var text = string.Join(" | ", errors.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        return text.Length == 0 ? "" : text.Length <= shown ? $": {text}" : $": … {text[^shown..]}";
    }
}
