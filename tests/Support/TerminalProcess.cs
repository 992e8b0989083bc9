using System.Diagnostics;
using System.Text;

namespace Imapsync.Tests.Support;

/// <summary>
/// The built program on a real terminal (a pty of util-linux's script), as a person uses it. Waits for words on the screen, types, presses
/// Ctrl-C. The terminal type is dumb, so that the screen is plain lines.
/// </summary>
public sealed class TerminalProcess : IAsyncDisposable
{
    /// <summary>The time after which a dialogue counts as hanging; no test's dialogue takes nearly as long.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Process process;
    private readonly Task reading;
    private readonly StringBuilder screen = new();
    private TaskCompletionSource changed = NewSignal();
    private int seenUpTo;

    private TerminalProcess(Process process)
    {
        this.process = process;
        reading = ReadAsync();
    }

    /// <summary>Everything shown so far, with LF line ends.</summary>
    public string Screen
    {
        get
        {
            lock (screen)
                return screen.ToString().Replace("\r\n", "\n", StringComparison.Ordinal);
        }
    }

    /// <param name="home">The process's home directory and working directory.</param>
    public static TerminalProcess Start(string home, params IEnumerable<string> arguments)
    {
        string[] program = Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_PROGRAM") is { Length: > 0 } published
            ? [published]
            : ["dotnet", Path.Combine(AppContext.BaseDirectory, "imapsync.dll")];
        var line = string.Join(' ', ((string[])["exec", "env", "--default-signal=INT,TERM", .. program, .. arguments]).Select(w => $"'{w.Replace("'", "'\\''", StringComparison.Ordinal)}'"));
        // The first word must be unquoted, because exec is a command of the shell itself.
        line = "exec" + line[6..];
        var start = new ProcessStartInfo(Command.Find("script"), ["-qefc", line, "/dev/null"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = home,
        };
        start.Environment["HOME"] = home;
        start.Environment["TERM"] = "dumb";
        start.Environment["SHELL"] = "/bin/sh";
        start.Environment.Remove("XDG_STATE_HOME");
        start.Environment.Remove("XDG_CONFIG_HOME");
        return new TerminalProcess(Process.Start(start)!);
    }

    /// <summary>Waits until the words appear on the screen, after the words found by the previous call.</summary>
    public async Task SeesAsync(string words)
    {
        using var patience = new CancellationTokenSource(Patience, TimeProvider.System);
        while (true)
        {
            Task change;
            lock (screen)
            {
                var at = screen.ToString().IndexOf(words, seenUpTo, StringComparison.Ordinal);
                if (at >= 0)
                {
                    seenUpTo = at + words.Length;
                    return;
                }

                change = changed.Task;
            }

            if (reading.IsCompleted)
                throw new InvalidOperationException($"the program ended, and '{words}' was never seen:\n{Screen}");
            try
            {
                await Task.WhenAny(change, reading).WaitAsync(patience.Token);
            }
            catch (OperationCanceledException e)
            {
                throw new TimeoutException($"'{words}' is not seen after {Patience}:\n{Screen}", e);
            }
        }
    }

    /// <summary>Types a line and presses Enter.</summary>
    public async Task TypeAsync(string line)
    {
        await process.StandardInput.WriteAsync(line + "\r");
        await process.StandardInput.FlushAsync();
    }

    public async Task PressControlCAsync()
    {
        await process.StandardInput.WriteAsync('\u0003');
        await process.StandardInput.FlushAsync();
    }

    /// <summary>Waits until the program ends and returns its exit status.</summary>
    public async Task<int> WaitAsync()
    {
        using var patience = new CancellationTokenSource(Patience, TimeProvider.System);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException($"the program hangs:\n{Screen}", e);
        }

        await reading;
        return process.ExitCode;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task ReadAsync()
    {
        var buffer = new char[4096];
        int count;
        while ((count = await process.StandardOutput.ReadAsync(buffer)) > 0)
        {
            lock (screen)
            {
                screen.Append(buffer, 0, count);
                changed.TrySetResult();
                changed = NewSignal();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        await reading;
        process.Dispose();
    }
}
