using System.ComponentModel;
using Imapsync.Engine.Configuration.Secrets;
using Imapsync.Engine.Tables;

namespace Imapsync.Engine.Configuration;

/// <summary>
/// A command that prints the list of accounts. Its output may contain passwords, so it stays in memory and is never shown.
/// </summary>
internal static class RowsCommand
{
    /// <param name="stop">Ends the command early.</param>
    /// <exception cref="TableException">The command can't be started, fails, takes too long or prints too much.</exception>
    /// <exception cref="OperationCanceledException">The command was ended early.</exception>
    public static MemoryStream Run(string command, TimeSpan timeout, TimeProvider time, CancellationToken stop) => RunAsync(command, timeout, time, stop).GetAwaiter().GetResult();

    private static async Task<MemoryStream> RunAsync(string command, TimeSpan timeout, TimeProvider time, CancellationToken stop)
    {
        using var deadline = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        try
        {
            using var process = ShellCommand.Start(command, ShellInput.Nothing);
            try
            {
                var errors = ShellCommand.LastWordsAsync(process.StandardError, either.Token);
                var output = await HeldOctets.ReadAsync(process.StandardOutput.BaseStream, TooMuch, either.Token).ConfigureAwait(false);
                var said = ShellCommand.Explain(await errors.ConfigureAwait(false));
                await process.WaitForExitAsync(either.Token).ConfigureAwait(false);
                // Ctrl-C also ends the command. Its failure is then reported as a cancellation and not as a mistake of the job file.
                stop.ThrowIfCancellationRequested();
                // If the command failed, its output may be only a part of the list, so none of the output is used.
                return process.ExitCode == 0 ? output : throw new TableException(0, 0, $"the command ended with exit status {process.ExitCode}{said}", "run it by hand");
            }
            finally
            {
                if (!process.HasExited)
                    process.Kill(entireProcessTree: true);
            }
        }
        catch (OperationCanceledException)
        {
            stop.ThrowIfCancellationRequested();
            throw new TableException(0, 0, $"the command did not end within {timeout.TotalSeconds:0} seconds", "give it more time: 'timeout: 5m' below for_each");
        }
        catch (Win32Exception e)
        {
            throw new TableException(0, 0, $"the command could not be started: {e.Message}", "run it by hand");
        }
    }

    private static TableException TooMuch() => new(0, 0, $"the command prints more than {HeldOctets.Most >> 20} MiB", "let it print less, or write a file and name that");
}
