using System.Diagnostics;
using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Fleet.Tests.Runs;

/// <summary>The built fleet program as a separate process.</summary>
public sealed class FleetProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly StringBuilder words = new();
    private readonly Task reading;
    private readonly Dictionary<string, TaskCompletionSource<string>> awaited = [];

    private FleetProcess(Process process)
    {
        this.process = process;
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    public string Words
    {
        get
        {
            lock (words)
                return words.ToString();
        }
    }

    public bool HasExited => process.HasExited;

    /// <summary>The processor time that the process has used so far.</summary>
    public TimeSpan Cpu => process.TotalProcessorTime;

    /// <summary>The most memory that the process has used so far, in octets.</summary>
    public long PeakOctets
    {
        get
        {
            var line = File.ReadLines($"/proc/{process.Id}/status").Single(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], System.Globalization.CultureInfo.InvariantCulture) * 1024;
        }
    }

    public static FleetProcess Start(string directory, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        // A shell's background job ignores SIGINT and its children inherit that, so the signals are reset to their defaults.
        var start = new ProcessStartInfo("env", ["--default-signal=INT,TERM", "dotnet", Path.Combine(AppContext.BaseDirectory, "imapsync-fleet.dll"), .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new FleetProcess(Process.Start(start)!);
    }

    /// <summary>Runs one command and waits until it ends.</summary>
    public static async Task<(int Status, string Words)> RunAsync(string directory, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        await using var process = Start(directory, environment, arguments);
        return (await process.WaitAsync(), process.Words);
    }

    /// <summary>Waits for an output line that begins with a text and returns the rest of the line.</summary>
    public async Task<string> SeesAsync(string begin)
    {
        Task<string> seen;
        lock (words)
        {
            if (Words.Split('\n').FirstOrDefault(l => l.StartsWith(begin, StringComparison.Ordinal)) is { } line)
                return line[begin.Length..].Trim();
            if (!awaited.TryGetValue(begin, out var source))
                awaited[begin] = source = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            seen = source.Task;
        }

        if (await Task.WhenAny(seen, reading) == seen)
            return await seen;
        throw new InvalidOperationException($"it ended before it said '{begin}':\n{Words}");
    }

    /// <summary>Sends KILL, TERM, STOP or CONT.</summary>
    public Task SignalAsync(string signal) => Command.SucceedsAsync("kill", [$"-{signal}", $"{process.Id}"]);

    public async Task<int> WaitAsync()
    {
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        await reading;
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync();
        await reading;
        process.Dispose();
    }

    private void OnExit(object? sender, EventArgs e) => process.Kill();

    private async Task ReadAsync(StreamReader from)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            lock (words)
            {
                words.Append(line).Append('\n');
                foreach (var (begin, source) in awaited.Where(a => line.StartsWith(a.Key, StringComparison.Ordinal)))
                    source.TrySetResult(line[begin.Length..].Trim());
            }
        }
    }
}
