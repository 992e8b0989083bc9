using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.History;

/// <summary>
/// Reads and writes the lines of a history file (docs/checkpoints.md). Each line has its own checksum, so a damaged line affects only
/// itself. The lines for an entry's folders and problems come before the line that records the entry's end.
/// </summary>
internal static class HistoryLines
{
    public const ulong Version = 1;

    private const string Time = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    /// <summary>
    /// The file's first word, the same in every version. A newer version is distinguished from damage by the valid checksum of its line.
    /// </summary>
    public static ReadOnlySpan<byte> Magic => "imapsync-history"u8;

    public static void WriteHeader(RecordWriter lines, long thinnedBytes)
    {
        lines.Begin(Magic).Add(Version).End();
        lines.Begin("thinned"u8).Add((ulong)thinnedBytes).End();
    }

    public static void Write(RecordWriter lines, HistoryEntry entry)
    {
        if (entry.Ended is not { } ended)
        {
            lines.Begin("began"u8).AddRaw(entry.Id).AddRaw(Word(entry.Kind)).AddRaw(Text(entry.Began)).Add((ulong)(entry.Process?.Id ?? 0)).Add(entry.Process?.Host).End();
            return;
        }

        foreach (var folder in entry.Folders)
        {
            lines.Begin("folder"u8).AddRaw(entry.Id).Add(folder.Source.ToString()).Add(folder.Target.ToString());
            Write(lines, folder.Counts);
            lines.End();
        }

        foreach (var problem in entry.Problems)
            Write(lines, entry.Id, problem);
        lines.Begin("ended"u8).AddRaw(entry.Id).AddRaw(Word(entry.Kind)).AddRaw(Text(entry.Began)).AddRaw(Text(ended))
            .AddRaw(Word(entry.Outcome)).AddRaw(Word(entry.Stop)).Add((ulong)Math.Max(0, entry.ExitStatus));
        Write(lines, entry.Totals);
        lines.Add((ulong)entry.FolderCount).Add((ulong)entry.ProblemCount)
            .Add((ulong)entry.LeftOut.Count).Add((ulong)entry.LeftOut.Copied).Add((ulong)entry.LeftOut.Bytes).End();
    }

    /// <summary>Reads all undamaged lines and returns the entries in order of their start.</summary>
    /// <param name="thinnedBytes">The file's length after it was last thinned; 0 when unknown.</param>
    /// <param name="skipsFolders">Whether folder lines, which are the majority, are skipped. The entries then have no folders.</param>
    /// <exception cref="NewerHistoryException"/>
    public static List<HistoryEntry> Read(ReadOnlySpan<byte> octets, out long thinnedBytes, bool skipsFolders = false)
    {
        var entries = new List<HistoryEntry>();
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        var folders = new Dictionary<string, List<FolderReport>>(StringComparer.Ordinal);
        var problems = new Dictionary<string, List<Problem>>(StringComparer.Ordinal);
        thinnedBytes = 0;
        foreach (var range in octets.Split((byte)'\n'))
        {
            if ((skipsFolders && octets[range].StartsWith("folder "u8)) || !RecordWriter.TrySplit(octets[range], out var record, out var crc) || crc != Crc32C.Append(0, record))
                continue;
            try
            {
                var fields = new RecordFields(record);
                var word = fields.Next();
                if (word.SequenceEqual(Magic))
                {
                    if (fields.Number() > Version)
                        throw new NewerHistoryException();
                }
                else if (word.SequenceEqual("thinned"u8))
                {
                    thinnedBytes = (long)Math.Min(fields.Number(), int.MaxValue);
                }
                else if (word.SequenceEqual("folder"u8))
                {
                    Below(folders, fields.RequiredText()).Add(ReadFolder(ref fields));
                }
                else if (word.SequenceEqual("problem"u8))
                {
                    Below(problems, fields.RequiredText()).Add(ReadProblem(ref fields));
                }
                else if (word.SequenceEqual("began"u8))
                {
                    var begun = ReadBegan(ref fields);
                    if (places.TryAdd(begun.Id, entries.Count))
                        entries.Add(begun);
                }
                else if (word.SequenceEqual("ended"u8))
                {
                    var ended = ReadEnded(ref fields);
                    ended = ended with
                    {
                        Folders = folders.Remove(ended.Id, out var its) ? [.. its.Take(HistoryEntry.MaxFolders)] : [],
                        Problems = problems.Remove(ended.Id, out var theirs) ? [.. theirs.Take(HistoryEntry.MaxProblems)] : [],
                    };
                    if (places.TryAdd(ended.Id, entries.Count))
                        entries.Add(ended);
                    else
                        entries[places[ended.Id]] = ended;
                }
            }
            catch (StateDamagedException)
            {
                // The damaged line is skipped, so that all other lines are still read.
            }
        }

        return entries;
    }

    private static List<T> Below<T>(Dictionary<string, List<T>> lists, string id)
    {
        if (!lists.TryGetValue(id, out var list))
            lists.Add(id, list = []);
        return list;
    }

    private static void Write(RecordWriter lines, FolderCounts c)
    {
        foreach (var count in (ReadOnlySpan<long>)[c.SourceMessages, c.Copied, c.AlreadyPresent, c.Adopted, c.Skipped, c.Failed, c.FlagsUpdated, c.Deleted, c.Bytes])
            lines.Add((ulong)Math.Max(0, count));
    }

    private static FolderCounts ReadCounts(ref RecordFields fields) => new()
    {
        SourceMessages = Count(ref fields),
        Copied = Count(ref fields),
        AlreadyPresent = Count(ref fields),
        Adopted = Count(ref fields),
        Skipped = Count(ref fields),
        Failed = Count(ref fields),
        FlagsUpdated = Count(ref fields),
        Deleted = Count(ref fields),
        Bytes = Count(ref fields),
    };

    private static void Write(RecordWriter lines, string id, Problem p)
    {
        lines.Begin("problem"u8).AddRaw(id).AddRaw(p.Scope.ToString().ToLowerInvariant()).Add(p.Folder?.ToString()).Add(p.Uid?.ToString(CultureInfo.InvariantCulture))
            .Add(p.Reason).Add(p.Text).Add(p.Envelope?.Subject).Add(p.Envelope?.FromName).Add(p.Envelope?.FromAddress)
            .Add(p.Envelope?.Date?.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture)).End();
    }

    private static FolderReport ReadFolder(ref RecordFields fields) => new(Path(fields.RequiredText()), Path(fields.RequiredText()), ReadCounts(ref fields));

    private static Problem ReadProblem(ref RecordFields fields)
    {
        var scope = OneOf<FailureScope>(fields.RequiredText());
        var folder = fields.Text() is { } path ? Path(path) : null;
        var uid = fields.OptionalNumber() is { } number and <= uint.MaxValue ? (uint?)number : null;
        var problem = new Problem(scope, folder, uid, fields.RequiredText(), fields.RequiredText());
        var (subject, name, address, date) = (fields.Text(), fields.Text(), fields.Text(), fields.Text());
        DateTimeOffset? sent = DateTimeOffset.TryParseExact(date, "yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture, DateTimeStyles.None, out var d) ? d : null;
        return (subject, name, address, sent) is (null, null, null, null) ? problem : problem with { Envelope = new Envelope(subject, name, address, sent) };
    }

    private static HistoryEntry ReadBegan(ref RecordFields fields)
    {
        var entry = new HistoryEntry(fields.RequiredText(), OneOf<HistoryKind>(fields.RequiredText()), ReadTime(ref fields));
        var (process, host) = (fields.Number32(), fields.Text());
        return host is null || process is 0 or > int.MaxValue ? entry : entry with { Process = new HistoryProcess((int)process, host) };
    }

    private static HistoryEntry ReadEnded(ref RecordFields fields) =>
        new(fields.RequiredText(), OneOf<HistoryKind>(fields.RequiredText()), ReadTime(ref fields))
        {
            Ended = ReadTime(ref fields),
            Outcome = OneOf<JobOutcome>(fields.RequiredText()),
            Stop = OneOf<StopReason>(fields.RequiredText()),
            ExitStatus = (int)Math.Min(fields.Number(), 255),
            Totals = ReadCounts(ref fields),
            FolderCount = (int)Math.Min(fields.Number(), int.MaxValue),
            ProblemCount = (int)Math.Min(fields.Number(), int.MaxValue),
            LeftOut = new LeftOutRuns(Count(ref fields), Count(ref fields), Count(ref fields)),
        };

    /// <summary>Reads a count, limited so that sums of counts can't overflow to negative values.</summary>
    private static long Count(ref RecordFields fields) => (long)Math.Min(fields.Number(), 1UL << 48);

    private static FolderPath Path(string text) => FolderPath.TryParse(text, out var path) ? path : throw new StateDamagedException("a folder path can't be read");

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString(Time, CultureInfo.InvariantCulture);

    private static DateTimeOffset ReadTime(ref RecordFields fields) =>
        DateTimeOffset.TryParseExact(Encoding.ASCII.GetString(fields.Next()), Time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw new StateDamagedException("a time can't be read");

    /// <summary>Converts an enum name for a file that people read: <c>DeletionLimit</c> becomes <c>deletion_limit</c>.</summary>
    public static string Word<T>(T value)
        where T : struct, Enum
    {
        var name = value.ToString();
        return string.Concat(name.Select((c, i) => char.IsAsciiLetterUpper(c) && i > 0 ? $"_{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));
    }

    private static T OneOf<T>(string word)
        where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (Word(value) == word)
                return value;
        }

        throw new StateDamagedException("a word is not known");
    }
}

/// <summary>Thrown when a newer version of the program wrote the history, which then remains unchanged.</summary>
public sealed class NewerHistoryException() : IOException("the history was written by a newer version of this program, and is left as it is");
