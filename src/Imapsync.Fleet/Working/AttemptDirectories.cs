using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Jobs;
using Imapsync.Fleet.State;

namespace Imapsync.Fleet.Working;

/// <summary>
/// Directories on this machine that keep the UIDs of messages in other mail programs' files from one attempt to the next. The rest of an
/// account's state is in the database. Each attempt has a directory of its own, which begins as a copy of the newest one. So nothing that a
/// worker presumed dead still writes is ever read.
/// </summary>
internal sealed class AttemptDirectories(string root)
{
    private const int Kept = 2;

    /// <summary>
    /// The recorded UIDs: the only entry that stays in an attempt's directory after the state was copied into the database.
    /// </summary>
    private const string Names = "names";

    /// <summary>
    /// Returns the name of a job's state. Accounts with the same name, source and target share their state, even in different batches.
    /// </summary>
    public static string KeyOf(JobDefinition job) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{job.Name}\n{job.Source.Identity}\n{job.Target.Identity}")).AsSpan(0, 16));

    /// <summary>Finds the state that an earlier version of this program kept for an account; null if there is none.</summary>
    public OlderState? FindOlder(JobDefinition job, TimeProvider time)
    {
        var place = PlaceOf(job);
        if (!Directory.Exists(place) || Numbers(place) is not [.., var newest] || !Directory.EnumerateFileSystemEntries(NameOf(place, newest)).Any(IsState))
            return null;
        return new OlderState(NameOf(place, newest), time, () =>
        {
            foreach (var entry in Numbers(place).SelectMany(n => Directory.EnumerateFileSystemEntries(NameOf(place, n))).Where(IsState))
            {
                if (File.Exists(entry))
                    File.Delete(entry);
                else
                    Directory.Delete(entry, recursive: true);
            }
        });
    }

    /// <summary>Creates the directory for an attempt, with a copy of what the newest earlier attempt left.</summary>
    /// <param name="require">Throws if the attempt may not go on.</param>
    public async Task<string> TakeAsync(JobDefinition job, Action require)
    {
        var place = PlaceOf(job);
        await DurableFiles.CreateDirectoryAsync(place, CancellationToken.None);
        require();
        // A directory whose name ends in .tmp is left over from an attempt that ended while it copied the previous directory.
        foreach (var leftover in Directory.EnumerateDirectories(place, "*.tmp"))
            Remove(leftover);
        for (var tries = 1; ; tries++)
        {
            var attempts = Numbers(place);
            var next = attempts.Count == 0 ? 1 : attempts[^1] + 1;
            var temporary = Path.Combine(place, $"{next}.{Path.GetRandomFileName()}.tmp");
            DurableFiles.CreateForOwner(temporary);
            if (attempts.Count > 0)
                Copy(NameOf(place, attempts[^1]), temporary);
            // Sync the copy before it gets the name that makes it the newest.
            await SyncAsync(temporary);
            require();
            try
            {
                Directory.Move(temporary, NameOf(place, next));
            }
            catch (IOException) when (tries < 5 && Directory.Exists(NameOf(place, next)))
            {
                // Another attempt, which may have lost its lease since, has created the directory with this number. So this one tries again
                // with a copy of that directory and the next number.
                Directory.Delete(temporary, recursive: true);
                continue;
            }

            await DurableFiles.SyncDirectoryAsync(place, CancellationToken.None);
            foreach (var old in attempts.SkipLast(Kept - 1))
                Remove(NameOf(place, old));
            return NameOf(place, next);
        }
    }

    private static bool IsState(string entry) => Path.GetFileName(entry) != Names;

    private string PlaceOf(JobDefinition job)
    {
        var key = KeyOf(job);
        return Path.Combine(root, key[..2], key);
    }

    private static List<long> Numbers(string place) =>
        [.. Directory.EnumerateDirectories(place).Select(d => long.TryParse(Path.GetFileName(d), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0).Where(n => n > 0).Order()];

    private static string NameOf(string place, long number) => Path.Combine(place, number.ToString(CultureInfo.InvariantCulture));

    /// <summary>
    /// Copies the files of a directory before its subdirectories, because another process may still be writing them. So the copied summary
    /// may be older than the files that it summarises, which only costs a check. A newer summary would hide changes.
    /// </summary>
    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from).Where(f => Path.GetFileName(f) != "lock" && !f.EndsWith(".tmp", StringComparison.Ordinal)))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        foreach (var directory in Directory.EnumerateDirectories(from))
        {
            var below = Path.Combine(to, Path.GetFileName(directory));
            DurableFiles.CreateForOwner(below);
            Copy(directory, below);
        }
    }

    private static async Task SyncAsync(string directory)
    {
        const int atOnce = 16;
        await Parallel.ForEachAsync(Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories), new ParallelOptions { MaxDegreeOfParallelism = atOnce }, async (path, c) =>
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
            await DurableFiles.SyncAsync(file, c);
        });
        foreach (var below in Directory.EnumerateDirectories(directory, "*", SearchOption.AllDirectories).Append(directory))
            await DurableFiles.SyncDirectoryAsync(below, CancellationToken.None);
    }

    private static void Remove(string directory)
    {
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (IOException)
        {
            // A worker that was presumed dead still writes to the directory. So let the next attempt remove it.
        }
    }
}
