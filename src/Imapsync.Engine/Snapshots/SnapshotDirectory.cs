using System.Globalization;
using Imapsync.Engine.Files;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Snapshots;

/// <summary>
/// The directory with a job's snapshots, each named by the UTC time at which it was taken. A snapshot in progress has the suffix <c>.partial</c>, one
/// that is to be deleted <c>.forgotten</c>. Neither is listed, and the next run that takes or prunes snapshots deletes them.
/// </summary>
public sealed class SnapshotDirectory(string path)
{
    private const string Partial = ".partial";
    private const string Forgotten = ".forgotten";

    public string Path { get; } = path;

    /// <summary>Returns the job's snapshot directory; null when the job keeps no snapshots.</summary>
    public static SnapshotDirectory? Of(JobDefinition job) => job is { Snapshots: { } policy, Target: MaildirEndpoint target }
        ? new SnapshotDirectory(policy.Directory ?? target.Directory + ".snapshots")
        : null;

    /// <summary>Lists the snapshots, oldest first.</summary>
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

    /// <summary>
    /// Finds a snapshot by its name, by <c>latest</c>, or as the newest one taken at or before a time: a day (its end in local time) or an
    /// instant.
    /// </summary>
    /// <exception cref="FormatException">The text has none of these forms.</exception>
    public Snapshot? Find(string text, TimeZoneInfo zone)
    {
        var all = List();
        if (text == "latest")
            return all.Count == 0 ? null : all[^1];
        return Snapshot.TryParseName(text, out var name) ? all.FirstOrDefault(s => s.Taken == name) : all.LastOrDefault(s => s.Taken <= InstantOf(text, zone));
    }

    /// <summary>Takes a snapshot of the job's state and of its mail tree. This program must not write to the tree meanwhile.</summary>
    /// <returns>The snapshot, and the number of entries left out because they are neither files nor directories.</returns>
    /// <exception cref="IOException">
    /// The disk is full, access is denied, or the file system has no hard links. No snapshot is then created.
    /// </exception>
    public (Snapshot Taken, long LeftOut) Take(string mail, string state, DateTimeOffset now, CancellationToken abort) =>
        Take(mail, state, now, abort.ThrowIfCancellationRequested);

    /// <param name="beforeEach">Called before each file and directory; an exception from it ends the work like a crash.</param>
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

    /// <summary>Removes a snapshot from the list; <see cref="Prune"/> frees its disk space. Returns false while the snapshot is being read.</summary>
    public bool TryForget(Snapshot snapshot)
    {
        using var alone = Posix.TryLockDirectory(snapshot.Directory);
        if (alone is null)
            return false;
        Posix.Rename(snapshot.Directory, snapshot.Directory + Forgotten);
        Posix.SyncDirectory(Path);
        return true;
    }

    /// <summary>
    /// Deletes snapshots that <see cref="TryForget"/> removed from the list or that were never completed. If this is interrupted, the next
    /// call continues.
    /// </summary>
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
            // A directory whose name does not have the form of a snapshot's name was not made by this program, so it is not deleted.
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
            // The failure is ignored. The next run that takes or prunes snapshots removes what is left of the directory.
        }
    }
}
