using Microsoft.Extensions.Logging;

namespace Imapsync.Imap.Connection;

/// <summary>Writes one connection's events to the log. <see cref="ImapTrace"/> has removed credentials and literals before.</summary>
internal sealed partial class ConnectionLog
{
    private static int connections;

    private readonly ILogger logger;
    private readonly int number = Interlocked.Increment(ref connections);
    private readonly string server;

    private ConnectionLog(ILogger logger, string server) => (this.logger, this.server) = (logger, server);

    /// <summary>Returns null if the log level is disabled.</summary>
    public static ConnectionLog? For(ImapClientOptions options) =>
        options.Log.IsEnabled(LogLevel.Information) ? new ConnectionLog(options.Log, options.Address) : null;

    /// <summary>Whether the log takes every line of the conversation (level Debug), not only the outcome of each command.</summary>
    public bool WantsLines => logger.IsEnabled(LogLevel.Debug);

    public void Line(string line) => Line(logger, number, server, line);

    public void Note(string text) => Note(logger, number, server, text);

    public void Answered(string tag, string command, string outcome, TimeSpan took) =>
        Answered(logger, number, server, tag, command, outcome, took.TotalMilliseconds);

    [LoggerMessage(EventId = 1, Level = LogLevel.Debug, Message = "[{Connection} {Server}] {Line}")]
    private static partial void Line(ILogger logger, int connection, string server, string line);

    [LoggerMessage(EventId = 2, Level = LogLevel.Information, Message = "[{Connection} {Server}] ! {Text}")]
    private static partial void Note(ILogger logger, int connection, string server, string text);

    [LoggerMessage(EventId = 3, Level = LogLevel.Information, Message = "[{Connection} {Server}] = {Tag} {Command}: {Outcome}, {Milliseconds:0.0} ms")]
    private static partial void Answered(ILogger logger, int connection, string server, string tag, string command, string outcome, double milliseconds);
}
