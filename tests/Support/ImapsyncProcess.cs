using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Imapsync.Engine.Retrying;

namespace Imapsync.Tests.Support;

/// <param name="PeakResidentKiB">The peak memory (VmHWM), read last shortly before the process ended.</param>
public sealed record ImapsyncResult(int Status, string Output, string Error, long PeakResidentKiB)
{
    public override string ToString() => $"exit status {Status}\n--- stdout\n{Output}\n--- stderr\n{Error}";
}

/// <summary>The built program as a separate process, as a user or cron runs it: without a terminal and with stdin closed.</summary>
public sealed class ImapsyncProcess : IAsyncDisposable
{
    /// <summary>The time after which a run counts as hanging; no test's run takes nearly as long.</summary>
    private static readonly TimeSpan RetryPolicy = TimeSpan.FromMinutes(Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1" ? 30 : 5);

    private readonly Process process;
    private readonly Task<string> output;
    private readonly StringBuilder error = new();
    private readonly Task<long> peak;
    private readonly Task errorReading;
    private readonly List<(string Text, TaskCompletionSource Seen)> awaited = [];

    private ImapsyncProcess(Process process)
    {
        this.process = process;
        output = process.StandardOutput.ReadToEndAsync();
        errorReading = ReadErrorAsync();
        peak = WatchMemoryAsync();
        process.StandardInput.Close();
    }

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    /// <summary>The command line, which every user of the machine can see.</summary>
    public string VisibleCommandLine => File.ReadAllText($"/proc/{process.Id}/cmdline").Replace('\0', ' ');

    /// <param name="home">The process's home directory, so that the user's real one stays untouched.</param>
    /// <param name="through">A program with arguments that starts the process, such as one that drops privileges.</param>
    public static ImapsyncProcess Start(
        string home, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, IEnumerable<string>? through = null)
    {
        // The tests use the published program if the variable names one, otherwise the program that the build made.
        string[] program = Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_PROGRAM") is { Length: > 0 } published
            ? [published]
            : ["dotnet", Path.Combine(AppContext.BaseDirectory, "imapsync.dll")];
        // Restore the default action of SIGINT for the tests of Ctrl-C. A shell's background jobs and their children ignore it.
        var start = new ProcessStartInfo("env", ["--default-signal=INT,TERM", .. through ?? [], .. program, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = home,
        };
        start.Environment["HOME"] = home;
        start.Environment.Remove("XDG_STATE_HOME");
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return new ImapsyncProcess(Process.Start(start)!);
    }

    /// <summary>Sends SIGKILL, so no handler runs and nothing is flushed.</summary>
    public void Kill()
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // The process has already ended.
        }
    }

    /// <summary>Sends SIGINT (2) or SIGTERM (15); the signal has been delivered when this returns.</summary>
    public void Signal(PosixSignal signal) => _ = NativeKill(process.Id, signal == PosixSignal.SIGINT ? 2 : 15);

    /// <summary>Completes when the error output contains the text, or the process has ended without it.</summary>
    public Task SeesErrorAsync(string text)
    {
        lock (error)
        {
            if (error.ToString().Contains(text, StringComparison.Ordinal))
                return Task.CompletedTask;
            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            awaited.Add((text, seen));
            return Task.WhenAny(seen.Task, errorReading);
        }
    }

    public async Task<ImapsyncResult> WaitAsync()
    {
        using var patience = new CancellationTokenSource(RetryPolicy, TimeProvider.System);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException e)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            await errorReading;
            throw new TimeoutException($"imapsync hangs after {RetryPolicy}:\n{error}", e);
        }

        await errorReading;
        return new ImapsyncResult(process.ExitCode, await output, error.ToString(), await peak);
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await process.WaitForExitAsync();
        await Task.WhenAll(output, errorReading, peak);
        process.Dispose();
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeKill(int process, int signal);

    private async Task ReadErrorAsync()
    {
        var buffer = new char[4096];
        int count;
        while ((count = await process.StandardError.ReadAsync(buffer)) > 0)
        {
            lock (error)
            {
                error.Append(buffer, 0, count);
                var text = error.ToString();
                foreach (var (_, seen) in awaited.FindAll(a => text.Contains(a.Text, StringComparison.Ordinal)))
                    seen.TrySetResult();
            }
        }
    }

    /// <summary>Reads the kernel's record of the peak memory at intervals until the process ends.</summary>
    private async Task<long> WatchMemoryAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        var highest = 0L;
        while (!process.HasExited)
        {
            try
            {
                foreach (var line in await File.ReadAllLinesAsync($"/proc/{process.Id}/status"))
                {
                    if (line.StartsWith("VmHWM:", StringComparison.Ordinal))
                        highest = long.Parse(line.AsSpan(6).Trim().TrimEnd("kB"), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
                }
            }
            catch (IOException)
            {
                break;
            }

            await timer.WaitForNextTickAsync();
        }

        return highest;
    }
}
