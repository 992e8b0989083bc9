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

/// <summary>Runs one job, like <see cref="JobRunner.RunAsync"/>.</summary>
internal delegate Task<JobReport> JobRun(
    JobDefinition job, RunOptions options, Action<JobEvent> onEvent, CancellationToken stop, CancellationToken abort);

/// <summary>The services that the process provides to the commands.</summary>
internal sealed record HostContext : IDisposable
{
    /// <summary>The output for data. It is UTF-8 in every locale, since programs read it.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>The output for messages to people.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>The output for text to people. It is <see cref="Out"/>, but on a terminal long lines are broken between words.</summary>
    public TextWriter Text { get => field ?? Out; init; }

    /// <summary>The output for messages to people that report no problem. It is <see cref="Error"/>, unless <see cref="IsQuiet"/> is set.</summary>
    public TextWriter Aside { get => field ?? Error; init; }

    /// <summary>Whether people are shown only problems (<c>--quiet</c>).</summary>
    public bool IsQuiet { get; init; }

    /// <summary>The log, which receives the jobs' events; null for none. It is the only event output when <see cref="Screen"/> is null.</summary>
    public IProgressOutput? Log { get; init; }

    /// <summary>
    /// The log, if it receives all messages. Null if there is no log, or if it receives only problems: a log on standard error with
    /// <see cref="IsQuiet"/>.
    /// </summary>
    public IProgressOutput? FullLog => IsQuiet && Screen is null ? null : Log;

    /// <summary>Standard error, when <see cref="Error"/> also writes to a log; otherwise null.</summary>
    public TextWriter? Screen { get; init; }

    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>Whether standard error is a terminal that supports cursor movement.</summary>
    public bool IsLive { get; init; }

    /// <summary>The width of the terminal that shows <see cref="Out"/>, in columns.</summary>
    public int Columns { get; init; } = 80;

    /// <summary>Whether the terminal may show colours; NO_COLOR turns them off (https://no-color.org).</summary>
    public bool HasColour => IsLive && string.IsNullOrEmpty(Environment.GetValueOrDefault("NO_COLOR"));

    /// <summary>Asks for a secret on the terminal; null when standard input is no terminal.</summary>
    public SecretPrompt? Prompt { get; init; }

    /// <summary>Asks for a line of text on the terminal; null when standard input is no terminal.</summary>
    public LinePrompt? Ask { get; init; }

    /// <summary>The services for finding the server of a mail address.</summary>
    public DiscoveryOptions Discovery { get; init; } = new();

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public required StoreOpener OpenStore { get; init; }

    public required JobRun RunJob { get; init; }

    /// <summary>Starts to listen for changes in a source; returns null if the source can't report changes.</summary>
    public FeedOpener Listen { get; init; } = (_, _, _, _) => Task.FromResult<IChangeFeed?>(null);

    /// <summary>Returns the history in a job's state directory; null when no history is kept.</summary>
    public Func<string, JobHistory>? HistoryOf { get; init; }

    /// <summary>The trace of the stores' communication; off unless the command line requests it.</summary>
    public TraceLog Trace { get; init; } = new(TimeProvider.System);

    /// <summary>Creates the outputs for the jobs' events.</summary>
    /// <param name="isJson">Whether events are written as data to standard output.</param>
    /// <param name="liveJobs">The number of jobs for a live table, if the terminal supports one; 0 for lines of text.</param>
    public EventFeed ShowEvents(bool isJson, int liveJobs)
    {
        // Without a separate screen, the log itself is written to standard error, so with --quiet it shows only problems, too.
        var log = IsQuiet && Screen is null && Log is not null ? new ProblemsOnly(Log) : Log;
        if (log is not null && Screen is null && !isJson)
            return new EventFeed([log], Time);
        var screen = Screen ?? Error;
        IProgressOutput shown = isJson ? new JsonLines(Out, screen)
            : IsQuiet ? new ProblemsOnly(new PlainLines(screen, Time))
            : IsLive && !Trace.IsOnScreen && liveJobs > 0 ? new LiveDisplay(screen, Time, liveJobs)
            : new PlainLines(screen, Time);
        return new EventFeed(log is null ? [shown] : [shown, log], Time);
    }

    /// <summary>
    /// The options with which this process reads job files. Bad rows of an account list do not prevent the use of its other rows.
    /// </summary>
    public JobFileOptions JobFileOptions => new() { Environment = Environment, Prompt = Prompt, Time = Time, KeepsBadRows = true };

    public static HostContext OfProcess()
    {
        var environment = System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal);
        var trace = new TraceLog(TimeProvider.System);
        var open = new StoreOpener(
            (endpoint, context, cancellationToken) => StoreRegistry.OpenAsync(endpoint, context with { Log = trace }, cancellationToken),
            (endpoint, forWriting, context, cancellationToken) => StoreRegistry.OpenTargetAsync(endpoint, forWriting, context with { Log = trace }, cancellationToken));
        var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = true };
        var error = new BestEffortWriter(Console.Error);
        var isTerminal = environment.GetValueOrDefault("TERM") is not (null or "" or "dumb");
        var isLive = isTerminal && !Console.IsErrorRedirected;
        var prompt = new TerminalPrompt(TimeProvider.System, () => isLive ? Console.WindowWidth : 0);
        return new HostContext
        {
            Trace = trace,
            Out = output,
            Text = isTerminal && !Console.IsOutputRedirected ? new WrappedLines(output, () => Console.WindowWidth) : output,
            Error = isLive ? new WrappedLines(error, () => Console.WindowWidth) : error,
            Environment = environment,
            Columns = Console.IsOutputRedirected ? 80 : Console.WindowWidth,
            IsLive = isLive,
            Prompt = Console.IsInputRedirected ? null : prompt.AskAsync,
            Ask = Console.IsInputRedirected ? null : prompt.AskLineAsync,
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
