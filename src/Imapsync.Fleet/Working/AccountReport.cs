using System.Text.Json;
using Imapsync.Engine.Progress;

namespace Imapsync.Fleet.Working;

/// <summary>The report of an attempt as it is stored for people to read. Its size is bounded, whatever the mailbox contains.</summary>
internal sealed record AccountReport(
    FolderLine Totals, IReadOnlyList<FolderLine> Folders, int FolderCount, IReadOnlyList<ProblemLine> Problems, int ProblemCount, IReadOnlyList<string> Notes, double Seconds)
{
    private const int MostFolders = 500;
    private const int MostProblems = 200;
    private const int MostNotes = 100;
    private const int MostLetters = 500;

    public static JsonSerializerOptions Json { get; } = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static AccountReport Of(JobReport report) => new(
        LineOf("", report.Totals),
        [.. report.Folders.Take(MostFolders).Select(f => LineOf(Shorten(f.Source.ToString()), f.Counts))],
        report.Folders.Length,
        [.. report.Problems.Take(MostProblems).Select(p => new ProblemLine(
            Shorten(p.Folder?.ToString() ?? ""), p.Uid, p.Reason, Shorten(p.Text), Shorten(p.Envelope?.From ?? ""), Shorten(p.Envelope?.Subject ?? ""), p.Envelope?.Date?.ToString("O") ?? ""))],
        report.Problems.Length,
        [.. report.Notes.Take(MostNotes).Select(Shorten)],
        (report.Finished - report.Started).TotalSeconds);

    private static FolderLine LineOf(string name, FolderCounts c) => new(name, c.SourceMessages, c.Copied, c.AlreadyPresent, c.Skipped, c.Failed, c.Bytes);

    private static string Shorten(string text) => text.Length <= MostLetters ? text : text[..MostLetters] + "…";
}

internal sealed record FolderLine(string Folder, long SourceMessages, long Copied, long AlreadyPresent, long Skipped, long Failed, long Bytes);

internal sealed record ProblemLine(string Folder, uint? Uid, string Reason, string Text, string From, string Subject, string Date);
