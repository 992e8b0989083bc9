using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Imapsync.Engine.Configuration.Secrets;

/// <summary>What a command of the job file reads on its standard input.</summary>
public enum ShellInput
{
    /// <summary>The terminal, where a person sits at it; otherwise nothing, since what this process is fed is meant for another program.</summary>
    Terminal,

    /// <summary>Nothing.</summary>
    Nothing,

    /// <summary>What the caller writes to it. The caller closes it.</summary>
    Written,
}

/// <summary>A command of the job file, run by the shell. Its output is read here and shown to nobody; its standard error is shown when it fails.</summary>
public static class ShellCommand
{
    private const int KeptErrors = 64 * 1024;

    /// <param name="variables">Environment variables that the command gets besides this process's own.</param>
    /// <exception cref="Win32Exception">There is no shell.</exception>
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

    /// <summary>Reads to the end and keeps the last lines.</summary>
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

    /// <summary>What it said of an error in one line, behind a colon; empty where it said nothing.</summary>
    public static string Explain(string errors)
    {
        const int shown = 300;
        var text = string.Join(" | ", errors.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        return text.Length == 0 ? "" : text.Length <= shown ? $": {text}" : $": … {text[^shown..]}";
    }
}
