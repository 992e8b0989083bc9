using System.Text.Json;
using System.Text.Json.Serialization;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>Writes each event as one line of JSON to standard output (docs/command-line.md).</summary>
/// <param name="error">The output for messages to people.</param>
internal sealed class JsonLines(TextWriter output, TextWriter error) : IProgressOutput
{
    private bool isClosed;

    public void Show(JobEvent happened, DateTimeOffset at)
    {
        if (isClosed)
            return;
        try
        {
            output.WriteLine(JsonSerializer.Serialize(EventJson.Of(happened, at), EventJsonContext.Default.EventJson));
            output.Flush();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            // The reader of the output has closed it; the run continues without it.
            isClosed = true;
        }
    }

    public void Say(string text) => error.WriteLine(TerminalText.Escape(text));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(JobStartedJson), "job_started")]
[JsonDerivedType(typeof(FoldersPlannedJson), "folders_planned")]
[JsonDerivedType(typeof(FolderStartedJson), "folder_started")]
[JsonDerivedType(typeof(MessagesCopiedJson), "messages_copied")]
[JsonDerivedType(typeof(MessagesVerifiedJson), "messages_verified")]
[JsonDerivedType(typeof(FolderFinishedJson), "folder_finished")]
[JsonDerivedType(typeof(NoteJson), "note")]
[JsonDerivedType(typeof(ProblemFoundJson), "problem")]
[JsonDerivedType(typeof(WaitingJson), "waiting")]
[JsonDerivedType(typeof(QueuedJson), "queued")]
[JsonDerivedType(typeof(JobFinishedJson), "job_finished")]
internal abstract record EventJson(
    [property: JsonPropertyOrder(-2)] DateTimeOffset Time, [property: JsonPropertyOrder(-1)] string Job)
{
    public static EventJson Of(JobEvent happened, DateTimeOffset time) => happened switch
    {
        JobStarted e => new JobStartedJson(time, e.Job, e.Source, e.Target, e.DryRun),
        FoldersPlanned e => new FoldersPlannedJson(time, e.Job, e.Pairs, e.Messages),
        FolderStarted e => new FolderStartedJson(time, e.Job, e.Source.ToString(), e.Target.ToString(), e.ToCopy, e.ToCopyBytes),
        MessagesCopied e => new MessagesCopiedJson(time, e.Job, e.Source.ToString(), e.Count, e.Bytes),
        MessagesVerified e => new MessagesVerifiedJson(time, e.Job, e.Source.ToString(), e.Count),
        FolderFinished e => new FolderFinishedJson(time, e.Job, FolderJson.Of(e.Folder)),
        NoteRaised e => new NoteJson(time, e.Job, e.Folder?.ToString(), e.Text),
        ProblemFound e => new ProblemFoundJson(time, e.Job, ProblemJson.Of(e.Problem)),
        Waiting e => new WaitingJson(time, e.Job, e.Wait.Reason, e.Wait.Delay.TotalSeconds, e.Wait.Until.ToUniversalTime()),
        Queued e => new QueuedJson(time, e.Job, e.Reason),
        JobFinished e => new JobFinishedJson(time, e.Job, JobReportJson.Of(e.Report)),
        _ => throw new ArgumentException($"no JSON form of {happened.GetType().Name}", nameof(happened)),
    };
}

internal sealed record JobStartedJson(DateTimeOffset Time, string Job, string Source, string Target, bool DryRun) : EventJson(Time, Job);

internal sealed record FoldersPlannedJson(DateTimeOffset Time, string Job, int Folders, long Messages) : EventJson(Time, Job);

internal sealed record FolderStartedJson(DateTimeOffset Time, string Job, string Source, string Target, long ToCopy, long ToCopyBytes) : EventJson(Time, Job);

internal sealed record MessagesCopiedJson(DateTimeOffset Time, string Job, string Source, int Count, long Bytes) : EventJson(Time, Job);

internal sealed record MessagesVerifiedJson(DateTimeOffset Time, string Job, string Source, int Count) : EventJson(Time, Job);

internal sealed record FolderFinishedJson(DateTimeOffset Time, string Job, FolderJson Folder) : EventJson(Time, Job);

internal sealed record NoteJson(DateTimeOffset Time, string Job, string? Folder, string Text) : EventJson(Time, Job);

internal sealed record ProblemFoundJson(DateTimeOffset Time, string Job, ProblemJson Problem) : EventJson(Time, Job);

internal sealed record WaitingJson(DateTimeOffset Time, string Job, string Reason, double Seconds, DateTimeOffset Until) : EventJson(Time, Job);

internal sealed record QueuedJson(DateTimeOffset Time, string Job, string Reason) : EventJson(Time, Job);

internal sealed record JobFinishedJson(DateTimeOffset Time, string Job, JobReportJson Report) : EventJson(Time, Job);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EventJson))]
internal sealed partial class EventJsonContext : JsonSerializerContext;
