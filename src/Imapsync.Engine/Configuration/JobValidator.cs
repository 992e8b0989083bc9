using Imapsync.Engine.Files;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Snapshots;

namespace Imapsync.Engine.Configuration;

/// <summary>Finds contradictions between the settings of a job, and between jobs.</summary>
internal static class JobValidator
{
    /// <summary>
    /// Paths are compared without regard to case, since many file systems ignore case and a backup may be moved to one of them.
    /// </summary>
    private static readonly StringComparer Places = StringComparer.OrdinalIgnoreCase;

    public static void Check(IReadOnlyList<ReadJob> jobs, List<ConfigurationError> errors)
    {
        CheckNames(jobs, errors);
        foreach (var job in jobs.Where(j => j.Definition is not null))
            errors.AddRange(Contradictions(job.Node, job.Definition!));
        CheckStates(jobs, errors);
        CheckTargets(jobs, errors);
        CheckSnapshots(jobs, errors);
    }

    private static void CheckNames(IReadOnlyList<ReadJob> jobs, List<ConfigurationError> errors)
    {
        // Names are compared without regard to case: they become directory names, and some file systems ignore case.
        foreach (var (first, second) in Repeated(jobs.Where(j => j.Name is not null), j => j.Name!, StringComparer.OrdinalIgnoreCase))
            errors.Add(new ConfigurationError(second.Node.Origin("name"), $"the name '{second.Name}' is taken by the job at {first.Node.Origin("name")}", "give each job a name of its own"));
    }

    private static IEnumerable<ConfigurationError> Contradictions(SettingNode node, JobDefinition job)
    {
        if (job.Deletions == DeletionPolicy.Mirror && node["trash_folder"] is { Kind: SettingKind.Value } trash)
            yield return new ConfigurationError(trash.KeyOrigin, "'trash_folder' contradicts 'deletions: mirror', which keeps nothing", "write 'deletions: trash' or remove 'trash_folder'");
        if (job.Labels != LabelPolicy.None && job is { Source.MayHaveLabels: false, Target.MayHaveLabels: false })
            yield return new ConfigurationError(node["labels"]?.KeyOrigin ?? node.KeyOrigin, "'labels' is about Gmail, and neither source nor target is an IMAP account", "remove 'labels'");
        if (job.Acl == AclPolicy.Copy && !(job.Source.MayHaveAcl && job.Target.MayHaveAcl))
            yield return new ConfigurationError(node.Origin("acl"), "'acl: copy' needs an IMAP account on both sides", "remove it");
        if (job is { HasIndex: true, Target.Place: null })
            yield return new ConfigurationError(node.Origin("index"), "'index: true' is for a backup in files, and the target is an account", "remove 'index'");
        if (job.Acl == AclPolicy.None && node["acl_map"] is { } map)
            yield return new ConfigurationError(map.KeyOrigin, "'acl_map' says nothing without 'acl: copy'", "add 'acl: copy' or remove 'acl_map'");
        if (job.Stage == MigrationStage.Final && node["cutover"] is null)
            yield return new ConfigurationError(node["stage"]!.KeyOrigin, "'stage: final' does not say when the target comes into use", "add 'cutover: 2026-06-01T20:00+02:00'");
        if (job.Stage != MigrationStage.Final && node["cutover"] is { } cutover)
            yield return new ConfigurationError(cutover.KeyOrigin, "'cutover' says nothing without 'stage: final'", "add 'stage: final' or remove 'cutover'");
        if (job.Stage == MigrationStage.Final && node["flags"] is { } flags)
            yield return new ConfigurationError(flags.KeyOrigin, "'flags' contradicts 'stage: final', which decides about them", "remove 'flags'");
        if (job.Source.RemovesCopied && job.Deletions != DeletionPolicy.Keep)
            yield return new ConfigurationError(node.Origin("deletions"), "'after_copy: delete' empties the source, and 'deletions' would then remove from the target what was copied", "remove 'deletions', or keep the mail at the source");
        if (!job.Source.KnowsFlags && job.Flags == FlagPolicy.Exact)
            yield return new ConfigurationError(node.Origin("flags"), $"'flags: exact' would take all flags from the target: {job.Source.Display} knows none", "remove 'flags'");
        string? source = job.Source.Place, target = job.Target.Place;
        if (source is not null && target is not null && Overlap(source, target))
            yield return new ConfigurationError(UrlOrigin(node, "target"), $"source and target overlap: {source} and {target}", "give the target a directory of its own");
        if (AccountOf(job.Source) is { } account && account == AccountOf(job.Target) && job.Folders is { Map.IsEmpty: true, Prefix: null })
            yield return new ConfigurationError(UrlOrigin(node, "target"), "source and target are the same account", "correct one of them, or say by 'folders: map' or 'prefix' where each folder goes");
        if (SnapshotDirectory.Of(job) is { } snapshots)
        {
            foreach (var (key, directory) in new[] { ("source", source), ("target", target), ("state", job.StateDirectory) })
            {
                if (directory is not null && Overlap(snapshots.Path, directory))
                    yield return new ConfigurationError(node["snapshots"]?["directory"]?.ValueOrigin ?? node.Origin("snapshots"), $"the snapshots, {snapshots.Path}, would overlap with the {key}, {directory}", "give 'snapshots: directory' a place of its own on the same file system");
            }
        }

        foreach (var (key, directory) in new[] { ("source", source), ("target", target) })
        {
            if (directory is not null && IsAtOrBelow(job.StateDirectory, directory))
                yield return new ConfigurationError(node["state"]?.ValueOrigin ?? node.KeyOrigin, $"the state would lie inside the {key}, {directory}", "give 'state' a directory outside of the mail");
        }
    }

    private static void CheckStates(IReadOnlyList<ReadJob> jobs, List<ConfigurationError> errors)
    {
        foreach (var (first, second) in Repeated(jobs.Where(j => j.Definition is not null), j => RealPath.Of(j.Definition!.StateDirectory), Places))
        {
            if (!second.Name!.Equals(first.Name, StringComparison.OrdinalIgnoreCase))
                errors.Add(new ConfigurationError(second.Node["state"]?.ValueOrigin ?? second.Node.KeyOrigin, $"job '{first.Name}' keeps its state in the same directory", "give each job a state directory of its own"));
        }
    }

    private static void CheckTargets(IReadOnlyList<ReadJob> jobs, List<ConfigurationError> errors)
    {
        var whole = jobs.Where(j => j.Definition is not null).ToList();
        foreach (var (first, second) in Repeated(whole.Where(j => AccountOf(j.Definition!.Target) is not null), j => TargetTree(j.Definition!), StringComparer.Ordinal))
            errors.Add(SameTarget(first, second));

        // The targets are sorted by path, so everything inside a directory directly follows that directory.
        (ReadJob Job, string Path)? outer = null;
        foreach (var target in whole.Where(j => j.Definition!.Target.Place is not null).Select(j => (Job: j, Path: RealPath.Of(j.Definition!.Target.Place!))).OrderBy(t => t.Path + "/", Places))
        {
            if (outer is { } around && IsWrittenAtOrBelow(target.Path, around.Path))
                errors.Add(SameTarget(around.Job, target.Job));
            else
                outer = target;
        }
    }

    /// <summary>
    /// Reports snapshot directories that are the same as, contain, or lie inside a directory of another job. Copying or deleting the outer
    /// directory would include the inner one.
    /// </summary>
    private static void CheckSnapshots(IReadOnlyList<ReadJob> jobs, List<ConfigurationError> errors)
    {
        var places = new List<(string Path, ReadJob Job, string What, bool IsSnapshots)>();
        foreach (var job in jobs.Where(j => j.Definition is not null))
        {
            var definition = job.Definition!;
            if (SnapshotDirectory.Of(definition) is { } snapshots)
                places.Add((snapshots.Path, job, "the snapshots", true));
            (string What, string? Path)[] others = [("the source", definition.Source.Place), ("the target", definition.Target.Place), ("the state", definition.StateDirectory)];
            places.AddRange(others.Where(o => o.Path is not null).Select(o => (o.Path!, job, o.What, false)));
        }

        if (!places.Exists(p => p.IsSnapshots))
            return;
        // The directories are sorted by path, so a directory precedes everything inside it.
        var around = new Stack<(string Path, ReadJob Job, string What, bool IsSnapshots)>();
        foreach (var place in places.OrderBy(p => p.Path.TrimEnd('/') + "/", Places))
        {
            while (around.TryPeek(out var last) && !IsAtOrBelow(place.Path, last.Path))
                around.Pop();
            foreach (var outer in around.Where(o => o.Job != place.Job && (o.IsSnapshots || place.IsSnapshots)).Take(1))
            {
                var (mine, other) = place.IsSnapshots ? (place, outer) : (outer, place);
                errors.Add(new ConfigurationError(
                    mine.Job.Node["snapshots"]?["directory"]?.ValueOrigin ?? mine.Job.Node.Origin("snapshots"),
                    $"the snapshots, {mine.Path}, would overlap with {other.What} of job '{other.Job.Name}', {other.Path}",
                    "give 'snapshots: directory' a place of its own on the same file system"));
            }

            around.Push(place);
        }
    }

    private static ConfigurationError SameTarget(ReadJob first, ReadJob second) =>
        new(UrlOrigin(second.Node, "target"), $"job '{first.Name}' writes to the same place, {first.Definition!.Target.Display}", "give each job a target of its own, with another name than in upper or lower case");

    /// <summary>
    /// Returns a text that is equal for two jobs with the same target account and the same folder rules. Several jobs may write to one
    /// account if their folder rules differ.
    /// </summary>
    private static string TargetTree(JobDefinition job) => string.Join('\n',
        [AccountOf(job.Target), .. job.Folders.Include, "-", .. job.Folders.Exclude, "=", .. job.Folders.Map.OrderBy(m => m.Key).Select(m => $"{m.Key}={m.Value}"), $"{job.Folders.Prefix}"]);

    private static IEnumerable<(ReadJob First, ReadJob Second)> Repeated(IEnumerable<ReadJob> jobs, Func<ReadJob, string> key, StringComparer comparer)
    {
        var seen = new Dictionary<string, ReadJob>(comparer);
        foreach (var job in jobs)
        {
            if (!seen.TryAdd(key(job), job))
                yield return (seen[key(job)], job);
        }
    }

    private static SettingOrigin UrlOrigin(SettingNode job, string key) => job[key]!.Origin("url");

    private static string? AccountOf(Endpoint endpoint) => endpoint.Place is null ? endpoint.Identity : null;

    /// <summary>Returns whether the two endpoints are the same directory or one contains the other.</summary>
    public static bool Overlap(Endpoint a, Endpoint b) => a.Place is { } one && b.Place is { } other && Overlap(one, other);

    /// <summary>
    /// Returns whether the two paths are the same or one contains the other, as written or after following symbolic links.
    /// </summary>
    public static bool Overlap(string a, string b) => IsAtOrBelow(a, b) || IsAtOrBelow(b, a);

    private static bool IsAtOrBelow(string path, string ancestor) => IsWrittenAtOrBelow(path, ancestor) || IsWrittenAtOrBelow(RealPath.Of(path), RealPath.Of(ancestor));

    private static bool IsWrittenAtOrBelow(string path, string ancestor) =>
        path.Equals(ancestor, StringComparison.OrdinalIgnoreCase) || path.StartsWith(ancestor.TrimEnd('/') + "/", StringComparison.OrdinalIgnoreCase);
}
