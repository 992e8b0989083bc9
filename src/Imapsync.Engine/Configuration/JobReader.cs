using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.SigningIn;

namespace Imapsync.Engine.Configuration;

/// <summary>A job as far as it could be read, with its node of the job file, which gives errors their position.</summary>
/// <param name="Definition">The job; null when an essential setting is missing.</param>
internal sealed record ReadJob(SettingNode Node, string? Name, JobDefinition? Definition);

/// <summary>Creates a <see cref="JobDefinition"/> from one entry of <c>jobs:</c>.</summary>
internal sealed class JobReader(JobReadContext reading)
{
    private const int MaxNameLength = 100;

    public ReadJob? Read(SettingNode job)
    {
        var name = ReadName(job);
        var isWanted = name is null || reading.IsWanted(name);
        var source = ReadEndpoint(new EndpointReader(reading, isWanted && reading.Options.UsesSource, isTarget: false), job, "source");
        var target = ReadEndpoint(new EndpointReader(reading, isWanted && reading.Options.UsesTarget, isTarget: true), job, "target");
        var folders = new FolderRulesReader(reading).Read(job["folders"], target is ServerEndpoint);
        var messages = new MessageFilterReader(reading).Read(job["messages"]);
        var limit = ReadDeletionLimit(job);
        var trash = ReadTrashFolder(job);
        var patience = new RetryReader(reading);
        // The state directory's name contains a hash of this text. So two jobs of the same name in different files don't share checkpoints
        // or a lock.
        var place = reading.IsComposed ? $"{source?.Identity}\n{target?.Identity}" : reading.FilePath;
        var state = ReadState(job, name, place);
        var notices = new NoticeReader(reading).Read(job);
        if (name is null || source is null || target is null || state is null)
            return new ReadJob(job, name, null);
        return new ReadJob(job, name, new JobDefinition(name, Signed(source, name, state, "source"), Signed(target, name, state, "target"))
        {
            Folders = folders with { IsOneAccount = source is ServerEndpoint && target is ServerEndpoint && source.Identity == target.Identity },
            Messages = messages,
            Flags = job.Choice("flags", ("follow", FlagPolicy.Follow), ("once", FlagPolicy.Once), ("exact", FlagPolicy.Exact)),
            Stage = job.Choice("stage", ("", MigrationStage.None), ("pre-sync", MigrationStage.PreSync), ("final", MigrationStage.Final)),
            Cutover = ReadCutover(job),
            NewestFirst = job.Choice("newest_first", ("", job.Text("stage") == "pre-sync"), ("false", false), ("true", true)),
            Labels = job.Choice("labels", ("", LabelPolicy.None), ("folders", LabelPolicy.Folders), ("keywords", LabelPolicy.Keywords)),
            Deletions = job.Choice("deletions", ("keep", DeletionPolicy.Keep), ("trash", DeletionPolicy.Trash), ("mirror", DeletionPolicy.Mirror)),
            DeletionLimit = limit,
            TrashFolder = trash,
            Acl = job.Choice("acl", ("none", AclPolicy.None), ("copy", AclPolicy.Copy)),
            AclMap = job["acl_map"]?.Children.Where(n => n.Kind == SettingKind.Value).ToImmutableDictionary(n => n.Key, n => n.Value!) ?? ImmutableDictionary<string, string>.Empty,
            Repair = job.Choice("repair", ("false", false), ("true", true)),
            Retry = patience.Retry(job["retry"]),
            MaxDuration = patience.MaxDuration(job),
            Snapshots = new SnapshotReader(reading).Read(job["snapshots"], target),
            HasIndex = job.Choice("index", ("false", false), ("true", true)),
            Watch = new WatchReader(reading).Read(job["watch"]),
            StateDirectory = state,
            Notices = notices,
        });
    }

    /// <summary>
    /// Returns the endpoint with two additions: the job's state directory, where its OAuth sign-in is stored, and the login command that
    /// error texts suggest.
    /// </summary>
    private Endpoint Signed(Endpoint endpoint, string job, string state, string side)
    {
        if (endpoint is not ServerEndpoint { Password: OAuthSignIn signIn } server)
            return endpoint;
        var file = reading.IsComposed ? "FILE" : ShellWord.Quote(reading.FilePath);
        var elsewhere = reading.Options.StateRoot is { } root ? $" --state {ShellWord.Quote(Path.GetFullPath(root))}" : "";
        return server with { Password = signIn.KeptIn(new SignInPlace(state, side, $"imapsync login {file} {job} {side}{elsewhere}")) };
    }

    private static Endpoint? ReadEndpoint(EndpointReader reader, SettingNode job, string key) =>
        job[key] is { Kind: SettingKind.Mapping } node ? reader.Read(node) : null;

    private string? ReadName(SettingNode job)
    {
        if (job.Text("name") is not { } name)
            return null;
        // The name is used as a directory name, as a command-line argument and in override keys, so its characters are restricted.
        var isGood = name.Length is > 0 and <= MaxNameLength && name[0] is not ('.' or '-')
            && name.All(c => char.IsLetterOrDigit(c) || c is '.' or '-' or '_' or '@' or '+');
        if (!isGood)
            reading.Error(job.Origin("name"), "this is no name for a job", $"use up to {MaxNameLength} letters, digits and . - _ @ +, and start with a letter or digit");
        return isGood ? name : null;
    }

    private DateTimeOffset? ReadCutover(SettingNode job)
    {
        if (job.Text("cutover") is not { } text)
            return null;
        if (SettingText.TryDate(text, out var cutover))
            return cutover;
        reading.Error(job.Origin("cutover"), $"'{text}' is no time for 'cutover'", "write it as 2026-06-01T20:00+02:00");
        return null;
    }

    private DeletionLimit ReadDeletionLimit(SettingNode job)
    {
        var limit = new DeletionLimit(10, IsPercent: true);
        if (job.Text("deletion_limit") is { } text && !SettingText.TryLimit(text, out limit))
            reading.Error(job.Origin("deletion_limit"), $"'{text}' is no limit", "write a number of messages (500) or a percentage (10%)");
        return limit;
    }

    private FolderPath ReadTrashFolder(SettingNode job)
    {
        var folder = new FolderPath("Removed");
        if (job.Text("trash_folder") is { } text && !FolderPath.TryParse(text, out folder))
            reading.Error(job.Origin("trash_folder"), $"'{text}' is no folder", "write a folder's name, levels split by /, none of them empty");
        return folder;
    }

    /// <param name="place">A text that distinguishes jobs of the same name.</param>
    private string? ReadState(SettingNode job, string? name, string place)
    {
        var written = job.Text("state") is { } text ? reading.Resolve(job.Origin("state"), text) : null;
        if (reading.Options.StateRoot is { } root)
            return name is null ? null : Path.Combine(Path.GetFullPath(root), name);
        if (job.Text("state") is not null || name is null)
            return written;
        var states = reading.Variable("XDG_STATE_HOME") is { } xdg && Path.IsPathRooted(xdg)
            ? xdg
            : reading.Variable("HOME") is { Length: > 0 } home ? Path.Combine(home, ".local", "state") : null;
        if (states is null)
        {
            reading.Error(job.KeyOrigin, "this job's state has no place, since neither XDG_STATE_HOME nor HOME is set", "add 'state: DIRECTORY'");
            return null;
        }

        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(place)))[..(reading.IsComposed ? 16 : 8)];
        return Path.Combine(states, "imapsync", $"{name}-{digest}");
    }
}
