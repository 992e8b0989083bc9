using System.Globalization;
using System.Text;
using Imapsync.Engine.Files;
using Microsoft.Extensions.Logging;

namespace Imapsync.CommandLine.Output;

/// <summary>
/// The trace of the communication with servers that <c>--trace</c>, <c>-v</c> and <c>-vv</c> request, one line per message. It is off until
/// opened.
/// </summary>
internal sealed class TraceLog(TimeProvider time) : ILogger, ILoggerProvider
{
    private readonly Lock gate = new();
    private StreamWriter? file;
    private TextWriter? screen;
    private LogLevel least = LogLevel.None;
    private LogLevel leastOnScreen = LogLevel.None;

    /// <summary>Whether trace lines go to the terminal, so that no other output may move its cursor.</summary>
    public bool IsOnScreen => screen is not null;

    /// <summary>Opens the trace.</summary>
    /// <param name="path">The file to append everything to; null for none.</param>
    /// <param name="verbosity">What <paramref name="error"/> receives: 0 nothing, 1 commands and their results, 2 every line.</param>
    /// <exception cref="IOException">The file can't be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The process has no permission to write the file.</exception>
    public void Open(string? path, int verbosity, TextWriter error)
    {
        if (path is not null)
            file = new StreamWriter(OutputFile.OpenAppend(path), new UTF8Encoding(false)) { AutoFlush = true };
        screen = verbosity > 0 ? error : null;
        leastOnScreen = verbosity switch { 0 => LogLevel.None, 1 => LogLevel.Information, _ => LogLevel.Debug };
        least = path is not null ? LogLevel.Debug : leastOnScreen;
    }

    public ILogger CreateLogger(string categoryName) => this;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least && logLevel != LogLevel.None;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
            return;
        var now = time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var line = $"{now} {TerminalText.Escape(formatter(state, exception))}";
        lock (gate)
        {
            if (logLevel >= leastOnScreen && screen is not null)
                screen.WriteLine(line);
            try
            {
                file?.WriteLine(line);
            }
            catch (IOException e)
            {
                // The trace ends, but the run continues.
                file = null;
                screen?.WriteLine(TerminalText.Escape($"the trace ends here: {FileErrors.Explain(e)}"));
            }
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            try
            {
                file?.Dispose();
            }
            catch (IOException)
            {
                // A failure to close the file loses nothing, since each line was flushed when it was written.
            }

            file = null;
            least = leastOnScreen = LogLevel.None;
        }
    }
}
