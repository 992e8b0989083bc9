using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Imapsync.Engine.Jobs;

namespace Imapsync.Notifying;

/// <summary>Runs a shell command that receives the news in environment variables and as JSON on its standard input.</summary>
internal static class CommandNotice
{
    private const int MostErrorText = 300;

    private static readonly TimeSpan PatienceWithErrorText = TimeSpan.FromSeconds(1);

    public static async Task RunAsync(CommandMeans means, News news, TimeProvider time, CancellationToken cancellationToken)
    {
        using var process = Start(means, news);
        try
        {
            var errors = LastWordsAsync(process.StandardError, cancellationToken);
            var output = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, cancellationToken);
            try
            {
                await process.StandardInput.BaseStream.WriteAsync(news.Json, cancellationToken);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // The command does not read its standard input, which is not an error.
            }

            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode == 0)
                return;
            // Wait for the rest of the error output, but only for a moment, because a child process of the command may keep the pipe open.
            await Task.WhenAny(errors, Task.Delay(PatienceWithErrorText, time, cancellationToken));
            var said = errors.IsCompletedSuccessfully ? await errors : "";
            _ = output;
            throw new NoticeException($"it ended with exit status {process.ExitCode}{said}", isTransient: false);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private static Process Start(CommandMeans means, News news)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", means.Command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["IMAPSYNC_EVENT"] = news.Event;
        start.Environment["IMAPSYNC_JOB"] = news.Job ?? "";
        start.Environment["IMAPSYNC_EXIT_STATUS"] = news.ExitStatus.ToString(CultureInfo.InvariantCulture);
        start.Environment["IMAPSYNC_SUMMARY"] = news.Headline;
        try
        {
            return Process.Start(start) ?? throw new NoticeException("it could not be started", isTransient: false);
        }
        catch (Win32Exception e)
        {
            throw new NoticeException("it could not be started", isTransient: false, e);
        }
    }

    private static async Task<string> LastWordsAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var words = new StringBuilder();
        var buffer = new char[1024];
        int read;
        while ((read = await reader.ReadAsync(buffer, cancellationToken)) > 0)
        {
            words.Append(buffer, 0, read);
            if (words.Length > 2 * MostErrorText)
                words.Remove(0, words.Length - MostErrorText);
        }

        var text = string.Join(" | ", words.ToString().Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        return text.Length == 0 ? "" : text.Length <= MostErrorText ? $": {text}" : $": … {text[^MostErrorText..]}";
    }
}
