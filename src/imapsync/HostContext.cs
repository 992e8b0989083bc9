using System.Collections;
using System.Text;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Configuration.Secrets;
using Imapsync.Engine.Discovery;
using Imapsync.Engine.History;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Stores;

namespace Imapsync.CommandLine;

/// <summary>Runs one job; <see cref="JobRunner.RunAsync"/>.</summary>
internal delegate Task<JobReport> JobRun(
    JobDefinition job, RunOptions options, Action<JobEvent> onEvent, CancellationToken stop, CancellationToken abort);

/// <summary>What the commands have of the process they run in.</summary>
internal sealed record HostContext : IDisposable
{
    /// <summary>Data. UTF-8 whatever the locale says, since programs read it.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Text for people.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>What happens in jobs goes here too, or alone where <see cref="Screen"/> is null; null for no log.</summary>
    public IProgressOutput? Log { get; init; }

    /// <summary>Standard error where <see cref="Error"/> goes to a log as well.</summary>
    public TextWriter? Screen { get; init; }

    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>Standard error is a terminal that can move its cursor.</summary>
    public bool IsLive { get; init; }

    /// <summary>How wide what <see cref="Out"/> goes to is shown.</summary>
    public int Columns { get; init; } = 80;

    /// <summary>A terminal, and nobody asked to be spared colours (https://no-color.org).</summary>
    public bool HasColour => IsLive && string.IsNullOrEmpty(Environment.GetValueOrDefault("NO_COLOR"));

    /// <summary>Asks on the terminal; null where standard input is none.</summary>
    public SecretPrompt? Prompt { get; init; }

    /// <summary>Asks for a line on the terminal; null where standard input is none.</summary>
    public LinePrompt? Ask { get; init; }

    /// <summary>What finds the server of an address.</summary>
    public DiscoveryOptions Discovery { get; init; } = new();

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public required StoreOpener OpenStore { get; init; }

    public required JobRun RunJob { get; init; }

    /// <summary>Opens what tells of a source's changes.</summary>
    public FeedOpener Listen { get; init; } = (_, _, _, _) => Task.FromResult<IChangeFeed?>(null);

    /// <summary>The history in a job's state directory; null where none is kept.</summary>
    public Func<string, JobHistory>? HistoryOf { get; init; }

    /// <summary>What stores tell of their conversations; off unless the command line asks for it.</summary>
    public TraceLog Trace { get; init; } = new(TimeProvider.System);

    /// <summary>Shows what happens in jobs.</summary>
    /// <param name="isJson">Events are data, on standard output.</param>
    /// <param name="liveJobs">So many may be shown by a table where the terminal can; 0 for lines.</param>
    public EventFeed ShowEvents(bool isJson, int liveJobs)
    {
        if (Log is not null && Screen is null && !isJson)
            return new EventFeed([Log], Time);
        var screen = Screen ?? Error;
        IProgressOutput shown = isJson ? new JsonLines(Out, screen)
            : IsLive && !Trace.IsOnScreen && liveJobs > 0 ? new LiveDisplay(screen, Time, liveJobs)
            : new PlainLines(screen, Time);
        return new EventFeed(Log is null ? [shown] : [shown, Log], Time);
    }

    /// <summary>What a job is read with here.</summary>
    public JobFileOptions JobFileOptions => new() { Environment = Environment, Prompt = Prompt, Time = Time };

    public static HostContext OfProcess()
    {
        var environment = System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal);
        var trace = new TraceLog(TimeProvider.System);
        StoreOpener open = (endpoint, forWriting, context, cancellationToken) =>
            StoreRegistry.OpenAsync(endpoint, forWriting, context with { Log = trace }, cancellationToken);
        return new HostContext
        {
            Trace = trace,
            Out = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = true },
            Error = new BestEffortWriter(Console.Error),
            Environment = environment,
            Columns = Console.IsOutputRedirected ? 80 : Console.WindowWidth,
            IsLive = !Console.IsErrorRedirected && environment.GetValueOrDefault("TERM") is not (null or "" or "dumb"),
            Prompt = Console.IsInputRedirected ? null : new TerminalPrompt(TimeProvider.System).AskAsync,
            Ask = Console.IsInputRedirected ? null : new TerminalPrompt(TimeProvider.System).AskLineAsync,
            OpenStore = open,
            Listen = (endpoint, request, context, cancellationToken) => StoreRegistry.ListenAsync(endpoint, request, context with { Log = trace }, cancellationToken),
            HistoryOf = directory => new JobHistory(directory, TimeProvider.System),
            RunJob = new JobRunner(TimeProvider.System, open).RunAsync,
        };
    }

    public void Dispose()
    {
        Trace.Dispose();
        Out.Dispose();
    }
}
