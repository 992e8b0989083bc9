using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Imapsync.Engine.Configuration.Secrets;

/// <summary>A command of the job file, run by the shell, whose output is read here and shown to nobody.</summary>
internal static class ShellCommand
{
    private const int KeptErrors = 64 * 1024;

    /// <exception cref="Win32Exception">There is no shell.</exception>
    public static Process Start(string command) => Process.Start(new ProcessStartInfo("/bin/sh", ["-c", command])
    {
        RedirectStandardInput = false,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        UseShellExecute = false,
    })!;

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
