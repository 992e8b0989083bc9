using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Imapsync.Engine.Retrying;

namespace Imapsync.Tests.Support;

/// <param name="PeakResidentKiB">VmHWM as last seen before the process ended.</param>
public sealed record ImapsyncResult(int Status, string Output, string Error, long PeakResidentKiB)
{
    public override string ToString() => $"exit status {Status}\n--- stdout\n{Output}\n--- stderr\n{Error}";
}

/// <summary>The built program as a process of its own, as a user or cron runs it: no terminal, stdin at its end.</summary>
public sealed class ImapsyncProcess : IAsyncDisposable
{
    /// <summary>No test's run takes nearly so long: one that does hangs.</summary>
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

    /// <summary>The command line as every user of the machine can see it.</summary>
    public string VisibleCommandLine => File.ReadAllText($"/proc/{process.Id}/cmdline").Replace('\0', ' ');

    /// <param name="home">The user's home: nothing of the real one may be touched.</param>
    /// <param name="through">A program with its arguments that runs it, such as one that takes rights away.</param>
    public static ImapsyncProcess Start(
        string home, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, IEnumerable<string>? through = null)
    {
        // As published, which tests/run.sh names, or as built.
        string[] program = Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_PROGRAM") is { Length: > 0 } published
            ? [published]
            : ["dotnet", Path.Combine(AppContext.BaseDirectory, "imapsync.dll")];
        // A shell's background job ignores SIGINT and so do its children, which is not what the tests of Ctrl-C are about.
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

    /// <summary>kill -9: no handler runs, nothing is flushed.</summary>
    public void Kill()
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It was quicker.
        }
    }

    /// <summary>Sends SIGINT (2), SIGTERM (15) …; it is delivered when this returns.</summary>
    public void Signal(PosixSignal signal) => _ = NativeKill(process.Id, signal == PosixSignal.SIGINT ? 2 : 15);

    /// <summary>Done when the text has stood in the error output; when the process ends first, then too.</summary>
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

    /// <summary>The kernel keeps the highest mark; reading it now and then until the end is enough.</summary>
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
