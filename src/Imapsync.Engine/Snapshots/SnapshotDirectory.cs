using System.Globalization;
using Imapsync.Engine.Files;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Snapshots;

/// <summary>
/// A job's snapshots: directories named by the time they were taken, in UTC. One that is being made ends in <c>.partial</c>, one that is
/// forgotten in <c>.forgotten</c>: neither counts, and both are cleared away by whoever next takes or prunes.
/// </summary>
public sealed class SnapshotDirectory(string path)
{
    private const string Partial = ".partial";
    private const string Forgotten = ".forgotten";

    public string Path { get; } = path;

    /// <summary>Null where the job keeps no snapshots.</summary>
    public static SnapshotDirectory? Of(JobDefinition job) => job is { Snapshots: { } policy, Target: MaildirEndpoint target }
        ? new SnapshotDirectory(policy.Directory ?? target.Directory + ".snapshots")
        : null;

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<Snapshot> List()
    {
        if (!Directory.Exists(Path))
            return [];
        var found = new List<Snapshot>();
        foreach (var directory in Directory.EnumerateDirectories(Path))
        {
            if (Snapshot.TryParseName(System.IO.Path.GetFileName(directory), out var taken))
                found.Add(new Snapshot(directory, taken));
        }

        return [.. found.OrderBy(s => s.Taken)];
    }

    /// <summary>The newest that was taken at this time or before: a snapshot's name, <c>latest</c>, a day (its end, local time) or an instant.</summary>
    /// <exception cref="FormatException">The text is none of these.</exception>
    public Snapshot? Find(string text, TimeZoneInfo zone)
    {
        var all = List();
        if (text == "latest")
            return all.Count == 0 ? null : all[^1];
        return Snapshot.TryParseName(text, out var name) ? all.FirstOrDefault(s => s.Taken == name) : all.LastOrDefault(s => s.Taken <= InstantOf(text, zone));
    }

    /// <summary>Takes a snapshot of a tree that nothing of ours writes to meanwhile, and of the job's state.</summary>
    /// <returns>It, and how many entries were left out because they are neither files nor directories.</returns>
    /// <exception cref="IOException">There is no room, no right, or the file system has no hard links; then there is none, as before.</exception>
    public (Snapshot Taken, long LeftOut) Take(string mail, string state, DateTimeOffset now, CancellationToken abort) =>
        Take(mail, state, now, abort.ThrowIfCancellationRequested);

    /// <param name="beforeEach">Called before each file and directory; what it throws ends it as a crash would.</param>
    internal (Snapshot Taken, long LeftOut) Take(string mail, string state, DateTimeOffset now, Action beforeEach)
    {
        DurableFiles.RequireNoLink(Path);
        Posix.TryCreateDirectory(Path);
        Clear(Partial, beforeEach);
        var snapshot = new Snapshot(System.IO.Path.Combine(Path, Snapshot.NameOf(now)), now);
        var partial = snapshot.Directory + Partial;
        var making = new Snapshot(partial, now);
        try
        {
            Posix.TryCreateDirectory(partial);
            var tree = new LinkedTree(beforeEach);
            tree.Copy(mail, making.Mail);
            tree.CopyFiles(state, making.State);
            Posix.SyncDirectory(partial);
            Posix.Rename(partial, snapshot.Directory);
            Posix.SyncDirectory(Path);
            return (snapshot, tree.LeftOut);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            TryClear(partial);
            throw;
        }
    }

    /// <summary>Takes a snapshot out of the list; its room is freed by <see cref="Prune"/>. False while somebody reads it.</summary>
    public bool TryForget(Snapshot snapshot)
    {
        using var alone = Posix.TryLockDirectory(snapshot.Directory);
        if (alone is null)
            return false;
        Posix.Rename(snapshot.Directory, snapshot.Directory + Forgotten);
        Posix.SyncDirectory(Path);
        return true;
    }

    /// <summary>Removes what is forgotten or was never finished. Interrupted, it is gone on with the next time.</summary>
    public void Prune(CancellationToken abort)
    {
        if (!Directory.Exists(Path))
            return;
        Clear(Forgotten, abort.ThrowIfCancellationRequested);
        Clear(Partial, abort.ThrowIfCancellationRequested);
    }

    private static DateTimeOffset InstantOf(string text, TimeZoneInfo zone)
    {
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            if (day == DateOnly.MaxValue)
                return DateTimeOffset.MaxValue;
            var next = day.AddDays(1).ToDateTime(TimeOnly.MinValue);
            return new DateTimeOffset(next, zone.GetUtcOffset(next)).AddTicks(-1);
        }

        if (DateTimeOffset.TryParseExact(text, ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mmK"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var instant))
            return text.EndsWith('Z') || text.LastIndexOfAny(['+', '-']) > text.IndexOf('T', StringComparison.Ordinal) ? instant : new DateTimeOffset(instant.DateTime, zone.GetUtcOffset(instant.DateTime));
        throw new FormatException($"'{text}' is no time of a snapshot");
    }

    private void Clear(string ending, Action beforeEach)
    {
        foreach (var directory in Directory.EnumerateDirectories(Path, "*" + ending).ToList())
        {
            // Deletes only directories whose names have this program's format.
            if (!Snapshot.TryParseName(System.IO.Path.GetFileName(directory)[..^ending.Length], out _))
                continue;
            beforeEach();
            Directory.Delete(directory, recursive: true);
        }
    }

    private static void TryClear(string directory)
    {
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            // The next taking or pruning of a snapshot removes what is left of the directory.
        }
    }
}
