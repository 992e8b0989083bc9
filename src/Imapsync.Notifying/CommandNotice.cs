using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Imapsync.Engine.Configuration.Secrets;
using Imapsync.Engine.Jobs;

namespace Imapsync.Notifying;

/// <summary>
/// Notifies by running a shell command, which receives the news about a run in environment variables and as JSON on its standard input.
/// </summary>
internal static class CommandNotice
{
    private static readonly TimeSpan PatienceWithErrorText = TimeSpan.FromSeconds(1);

    public static async Task RunAsync(CommandMeans means, News news, TimeProvider time, CancellationToken cancellationToken)
    {
        using var process = Start(means, news);
        try
        {
            var errors = ShellCommand.LastWordsAsync(process.StandardError, cancellationToken);
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
            var said = errors.IsCompletedSuccessfully ? ShellCommand.Explain(await errors) : "";
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
        try
        {
            return ShellCommand.Start(
                means.Command,
                ShellInput.Written,
                ("IMAPSYNC_EVENT", news.Event),
                ("IMAPSYNC_JOB", news.Job ?? ""),
                ("IMAPSYNC_EXIT_STATUS", news.ExitStatus.ToString(CultureInfo.InvariantCulture)),
                ("IMAPSYNC_SUMMARY", news.Headline));
        }
        catch (Win32Exception e)
        {
            throw new NoticeException("it could not be started", isTransient: false, e);
        }
    }
}
