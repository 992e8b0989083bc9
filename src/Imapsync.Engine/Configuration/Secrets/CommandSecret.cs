using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration.Secrets;

/// <summary>
/// A secret from the first output line of a command. The rest of the output is discarded. An error message may show the command's error
/// output, with the secret masked.
/// </summary>
/// <param name="what">The kind of secret, for error texts.</param>
internal sealed class CommandSecret(string command, TimeProvider time, string what = "password") : SecretReference
{
    private const int MaxLength = 64 * 1024;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    public override async ValueTask<Secret> ReadAsync(CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        using var process = Start();
        try
        {
            var output = FirstLineAsync(process.StandardOutput, either.Token);
            var errors = ShellCommand.LastWordsAsync(process.StandardError, either.Token);
            var line = await output;
            var said = Explain(await errors, line);
            await process.WaitForExitAsync(either.Token);
            if (process.ExitCode != 0)
                throw Unreadable.Secret($"{this} ended with exit status {process.ExitCode}{said}");
            return line.Length > 0 ? new Secret(line) : throw Unreadable.Secret($"{this} printed nothing{said}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Unreadable.Secret($"{this} did not end within {Timeout.TotalSeconds} seconds");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    // The command's own text is not shown, since it may contain a token.
    public override string ToString() => $"{what} command";

    private Process Start()
    {
        try
        {
            return ShellCommand.Start(command);
        }
        catch (Win32Exception e)
        {
            throw Unreadable.Secret($"{this} could not be started: {e.Message}");
        }
    }

    /// <summary>Reads the output to its end, so that the command does not fail on a closed pipe, and returns the first line.</summary>
    private async Task<string> FirstLineAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        var buffer = new char[4096];
        var isComplete = false;
        int read;
        while ((read = await reader.ReadAsync(buffer, cancellationToken)) > 0)
        {
            var end = Array.IndexOf(buffer, '\n', 0, read);
            if (!isComplete)
                line.Append(buffer, 0, end < 0 ? read : end);
            isComplete |= end >= 0;
            if (line.Length > MaxLength)
                throw Unreadable.Secret($"{this} printed a line too long for a {what}");
        }

        return line.ToString().TrimEnd('\r');
    }

    private static string Explain(string errors, string secret) =>
        ShellCommand.Explain(secret.Length > 0 ? errors.Replace(secret, "***", StringComparison.Ordinal) : errors);
}
