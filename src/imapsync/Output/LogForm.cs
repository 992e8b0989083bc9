using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>The formats of log lines, which are documented in docs/monitoring.md and must stay compatible. Times in text are local.</summary>
internal static class LogForm
{
    public const string Text = "text", Json = "json", Journald = "journald";

    private const int Error = 3, Warning = 4, Notice = 5, Information = 6;

    /// <summary>Formats a line for the screen, with the time of day.</summary>
    public static string OfScreen(JobEvent? happened, string text, DateTimeOffset at) => $"{at:HH:mm:ss} {TerminalText.Escape(text)}";

    /// <summary>Formats a line with date, time and time zone.</summary>
    public static string OfText(JobEvent? happened, string text, DateTimeOffset at) =>
        $"{at.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture)} {TerminalText.Escape(text)}";

    /// <summary>Formats a line for the journal with a priority prefix (sd-daemon(3)); the journal adds the time.</summary>
    public static string OfJournal(JobEvent? happened, string text, DateTimeOffset at) => $"<{Priority(happened)}>{TerminalText.Escape(text)}";

    public static string OfMessage(string text, DateTimeOffset at) =>
        JsonSerializer.Serialize(new MessageJson("message", at.ToUniversalTime(), text), LogJsonContext.Default.MessageJson);

    private static int Priority(JobEvent? happened) => happened switch
    {
        ProblemFound { Problem.Scope: FailureScope.Store } => Error,
        ProblemFound => Warning,
        JobFinished { Report.Outcome: not JobOutcome.Ok } => Error,
        null or NoteRaised or Waiting => Notice,
        _ => Information,
    };
}

/// <summary>A message that is not an event of a job.</summary>
internal sealed record MessageJson(string Event, DateTimeOffset Time, string Text);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(MessageJson))]
internal sealed partial class LogJsonContext : JsonSerializerContext;
