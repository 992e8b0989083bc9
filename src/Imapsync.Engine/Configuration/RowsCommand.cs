using System.ComponentModel;
using Imapsync.Engine.Configuration.Secrets;
using Imapsync.Engine.Tables;

namespace Imapsync.Engine.Configuration;

/// <summary>A command that prints the list of accounts. Its output may hold passwords: it stays in memory and is shown to nobody.</summary>
internal static class RowsCommand
{
    /// <exception cref="TableException">It can't be run, fails, takes too long or prints too much.</exception>
    public static MemoryStream Run(string command, TimeSpan timeout, TimeProvider time) => RunAsync(command, timeout, time).GetAwaiter().GetResult();

    private static async Task<MemoryStream> RunAsync(string command, TimeSpan timeout, TimeProvider time)
    {
        using var deadline = new CancellationTokenSource(timeout, time);
        try
        {
            using var process = ShellCommand.Start(command);
            try
            {
                var errors = ShellCommand.LastWordsAsync(process.StandardError, deadline.Token);
                var output = await ReadAsync(process.StandardOutput.BaseStream, deadline.Token).ConfigureAwait(false);
                var said = ShellCommand.Explain(await errors.ConfigureAwait(false));
                await process.WaitForExitAsync(deadline.Token).ConfigureAwait(false);
                // A list that breaks off half-way is no list.
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
            throw new TableException(0, 0, $"the command did not end within {timeout.TotalSeconds:0} seconds", "give it more time: 'timeout: 5m' below for_each");
        }
        catch (Win32Exception e)
        {
            throw new TableException(0, 0, $"the command could not be started: {e.Message}", "run it by hand");
        }
    }

    private static async Task<MemoryStream> ReadAsync(Stream output, CancellationToken cancellationToken)
    {
        var held = new MemoryStream();
        var block = new byte[64 << 10];
        int read;
        while ((read = await output.ReadAsync(block, cancellationToken).ConfigureAwait(false)) > 0)
        {
            if (held.Length + read > LdifReader.MaxBytes)
                throw new TableException(0, 0, $"the command prints more than {LdifReader.MaxBytes >> 20} MiB", "let it print less, or write a file and name that");
            held.Write(block, 0, read);
        }

        held.Position = 0;
        return held;
    }
}
