using System.CommandLine;
using System.CommandLine.Parsing;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Snapshots;

namespace Imapsync.CommandLine.Commands;

/// <summary>The option <c>--at</c>, which selects the backup as it was at a given time.</summary>
internal sealed class SnapshotOption
{
    private readonly Option<string> at = new("--at")
    {
        Description = "Take the backup as it was then: 2026-11-01 (the end of that day), 2026-11-01T12:00, a snapshot's name or latest.",
        HelpName = "TIME",
    };

    private readonly List<IDisposable> held = [];

    public SnapshotOption(Command command) => command.Add(at);

    public bool IsGiven(CommandResult command) => command.GetResult(at) is not null;

    /// <returns>The snapshot of the job's backup; null when the option was not given.</returns>
    /// <exception cref="ConfigurationException">There is no such snapshot.</exception>
    public Snapshot? Find(ParseResult parsed, JobDefinition job, TimeProvider time)
    {
        if (parsed.GetValue(at) is not { } text)
            return null;
        var snapshots = SnapshotDirectory.Of(job) ?? throw Wrong($"job '{job.Name}' keeps no snapshots", "add 'snapshots: { daily: 7 }' to it; from then on runs take them");
        try
        {
            var snapshot = snapshots.Find(text, time.LocalTimeZone) ?? throw Wrong($"job '{job.Name}' has no snapshot of {text} or before", "imapsync snapshots FILE JOB lists those there are");
            // The snapshot stays locked until the program ends, so that a concurrent run can't delete it while it is being read.
            held.Add(snapshot.TryHold() ?? throw Wrong($"snapshot {snapshot.Name} of job '{job.Name}' is just being forgotten", "imapsync snapshots FILE JOB lists those that are left"));
            return snapshot;
        }
        catch (FormatException e)
        {
            throw Wrong(e.Message, "write 2026-11-01, 2026-11-01T12:00, a snapshot's name or latest");
        }
    }

    /// <summary>Returns a job whose target is the snapshot. The job must only be used for reading.</summary>
    public static JobDefinition AsOf(JobDefinition job, Snapshot snapshot) =>
        job with { Target = (MaildirEndpoint)job.Target with { Directory = snapshot.Mail }, StateDirectory = snapshot.State };

    private static ConfigurationException Wrong(string message, string remedy) => new([new ConfigurationError(new SettingOrigin("--at"), message, remedy)]);
}

/// <summary>
/// Temporary copies of jobs' state, used while a snapshot is verified. A verification writes a lock and its progress into the state, but
/// nothing may be written into the snapshot itself.
/// </summary>
internal sealed class StateCopies : IDisposable
{
    private readonly List<string> directories = [];

    public JobDefinition Of(JobDefinition job)
    {
        var directory = Directory.CreateTempSubdirectory("imapsync-").FullName;
        directories.Add(directory);
        foreach (var file in Directory.EnumerateFiles(job.StateDirectory, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(directory, Path.GetRelativePath(job.StateDirectory, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        return job with { StateDirectory = directory };
    }

    public void Dispose() => directories.ForEach(d => Directory.Delete(d, recursive: true));
}
