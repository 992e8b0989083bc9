using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Files;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Snapshots;
using Imapsync.Engine.State;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync snapshots</c>: lists a backup's snapshots, or removes some of them.</summary>
internal static class SnapshotsCommand
{
    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("snapshots", "List the points in time of a job's backup, with what changed from one to the next; forget some of them.",
            ("imapsync snapshots jobs.yaml alice", "List them."),
            ("imapsync snapshots jobs.yaml alice --forget 2026-11-01T02-15-03Z", "Forget one and free its room."),
            ("imapsync restore jobs.yaml alice --at 2026-11-01 --to maildir:/tmp/alice", "Go back to one."));
        var arguments = new JobFileArguments(command, isOneJob: true);
        var forget = new Option<string[]>("--forget") { Description = "Forget this snapshot. May be given several times.", HelpName = "NAME", Arity = ArgumentArity.OneOrMore };
        var keep = new Option<bool>("--no-prune") { Description = "Leave what is forgotten on the disk; the next run frees its room." };
        command.Add(forget);
        command.Add(keep);
        command.SetAction((parsed, cancellationToken) => StopSignals.GuardAsync(
            surroundings.Time,
            async (_, stop) =>
            {
                var job = (await arguments.ReadAsync(parsed, surroundings, usesSource: false, stop)).Jobs[0];
                if (SnapshotDirectory.Of(job) is not { } snapshots)
                {
                    await surroundings.Error.WriteLineAsync($"job '{job.Name}' keeps no snapshots: add 'snapshots: {{ daily: 7 }}' to it");
                    return ExitStatus.Usage;
                }

                try
                {
                    if (parsed.GetValue(forget) is { Length: > 0 } names)
                        return await ForgetAsync(job, snapshots, names, prune: !parsed.GetValue(keep), surroundings, stop);
                    await surroundings.Out.WriteLineAsync(arguments.IsJson(parsed) ? JsonSerializer.Serialize(List(snapshots, stop), DocumentJson.Default.SnapshotsJson) : Table(snapshots, surroundings, stop));
                    return ExitStatus.Ok;
                }
                catch (Exception e) when (FileErrors.Is(e))
                {
                    await surroundings.Error.WriteLineAsync(TerminalText.Escape(FileErrors.Explain(e)));
                    return ExitStatus.Failed;
                }
            },
            cancellationToken));
        return command;
    }

    private static async Task<int> ForgetAsync(JobDefinition job, SnapshotDirectory snapshots, string[] names, bool prune, HostContext surroundings, CancellationToken stop)
    {
        try
        {
            // The lock prevents runs from taking or pruning snapshots meanwhile.
            await using var held = await CheckpointStore.OpenAsync(job.StateDirectory, surroundings.Time, readOnly: false, stop);
            var all = snapshots.List().ToDictionary(s => s.Name);
            if (names.FirstOrDefault(n => !all.ContainsKey(n)) is { } unknown)
            {
                await surroundings.Error.WriteLineAsync(TerminalText.Escape($"there is no snapshot '{unknown}'; nothing was forgotten"));
                return ExitStatus.Usage;
            }

            var status = ExitStatus.Ok;
            foreach (var name in names.Distinct(StringComparer.Ordinal).Where(n => !snapshots.TryForget(all[n])))
            {
                await surroundings.Error.WriteLineAsync($"snapshot {name} is being read, so it stays; try again when that is done");
                status = ExitStatus.Incomplete;
            }

            if (prune)
                await Task.Run(() => snapshots.Prune(stop), CancellationToken.None);
            return status;
        }
        catch (CheckpointLockedException e)
        {
            await surroundings.Error.WriteLineAsync(TerminalText.Escape(e.Message));
            return ExitStatus.Locked;
        }
    }

    private static SnapshotsJson List(SnapshotDirectory snapshots, CancellationToken stop)
    {
        var rows = new List<SnapshotJson>();
        SnapshotContents? before = null;
        foreach (var snapshot in snapshots.List())
        {
            stop.ThrowIfCancellationRequested();
            var contents = SnapshotContents.Read(snapshot);
            var (came, went, flags) = contents.Since(before);
            rows.Add(new SnapshotJson(snapshot.Name, snapshot.Taken, snapshot.Mail, contents.Folders, contents.Messages, came, went, flags));
            before = contents;
        }

        return new SnapshotsJson(snapshots.Path, rows);
    }

    private static string Table(SnapshotDirectory snapshots, HostContext surroundings, CancellationToken stop)
    {
        var list = List(snapshots, stop);
        if (list.Snapshots.Count == 0)
            return $"no snapshot as yet in {TerminalText.Escape(snapshots.Path)}; the next run in which all comes to its place takes one";
        List<string[]> rows = [["SNAPSHOT", "LOCAL TIME", "FOLDERS", "MESSAGES", "NEW", "GONE", "OTHER FLAGS"]];
        foreach (var s in list.Snapshots)
        {
            var local = TimeZoneInfo.ConvertTime(s.Taken, surroundings.Time.LocalTimeZone).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
            rows.Add([s.Name, local, Quantities.Count(s.Folders), Quantities.Count(s.Messages), Quantities.Count(s.Came), Quantities.Count(s.Went), Quantities.Count(s.OtherFlags)]);
        }

        using var text = new StringWriter();
        TextTable.Print(rows, leftColumns: 2, text);
        return text.ToString().TrimEnd();
    }
}
