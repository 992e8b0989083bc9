using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using System.Security.Cryptography;
using System.Text;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Turns;

namespace Imapsync.CommandLine.Commands;

/// <summary>A backup from which mail is read.</summary>
/// <param name="Name">The job's name, or <c>backup</c> if the command line named the backup itself.</param>
/// <param name="Numbers">
/// The directory that records the UIDs given to messages without UIDs of their own; null for none.
/// </param>
/// <param name="Index">The directory of the backup's search index; null if it has none.</param>
internal sealed record Backup(string Name, Endpoint Endpoint, string? Numbers, string? Index = null)
{
    public static Backup Of(JobDefinition job, TimeProvider time)
    {
        var state = new FileMedium(job.State, time);
        return new Backup(job.Name, job.Target, state.LocalDirectory("served"), job.HasIndex ? state.LocalDirectory("index") : null);
    }
}

/// <summary>The arguments of the commands that read a backup: a job file and the job whose target is the backup, or the backup's own URL.</summary>
internal sealed class BackupArguments
{
    private readonly Argument<string> place = new("FILE") { Description = "The job file, or the backup itself: maildir:DIR, mbox:DIR or eml:DIR." };
    private readonly Argument<string[]> job;
    private readonly string? rest;
    private readonly SnapshotOption at;
    private readonly Option<string> state = new("--state") { Description = "Keep the jobs' state below this directory, whatever the file says.", HelpName = "DIR" };

    /// <param name="rest">The name of an argument that follows the job and may be repeated; null for none.</param>
    public BackupArguments(Command command, string? rest = null, string? restDescription = null)
    {
        this.rest = rest;
        job = new Argument<string[]>(rest is null ? "JOB" : $"JOB {rest}")
        {
            Description = $"The name of the job whose target is meant; not with a URL.{(restDescription is null ? "" : $" {restDescription}")}",
            Arity = ArgumentArity.ZeroOrMore,
        };
        job.CompletionSources.Add(CompleteJobs);
        place.Validators.Add(RefuseOptions);
        job.Validators.Add(RefuseOptions);
        command.Validators.Add(result =>
        {
            var isUrl = result.GetResult(place) is { Tokens: [var first, ..] } && IsUrl(first.Value);
            var given = result.GetResult(job)?.Tokens ?? [];
            var count = given.Count;
            // An argument that begins with a dash is a misspelt option. It is reported elsewhere, so the other checks are skipped.
            if (given.Any(t => t.Value.StartsWith('-')))
                return;
            if (isUrl && at!.IsGiven(result))
                result.AddError("--at is for a job file: the snapshots are a job's.");
            if (rest is null && count > (isUrl ? 0 : 1))
                result.AddError(isUrl ? "JOB is for a job file; maildir:DIR, mbox:DIR and eml:DIR stand alone." : "This command takes one job.");
            else if (!isUrl && count == 0 && result.GetResult(place) is { Tokens.Count: > 0 })
                result.AddError($"JOB is missing: The name of the job whose target is meant.{UsageErrors.JobsOf(result)}");
        });
        command.Add(place);
        command.Add(job);
        command.Add(state);
        at = new SnapshotOption(command);
    }

    /// <summary>Returns the arguments after the job.</summary>
    public IReadOnlyList<string> Rest(ParseResult parsed) => (parsed.GetValue(job) ?? [])[(IsUrl(parsed.GetRequiredValue(place)) ? 0 : 1)..];

    /// <exception cref="ConfigurationException"/>
    public async Task<Backup> ReadAsync(ParseResult parsed, HostContext surroundings, CancellationToken stop)
    {
        var given = parsed.GetRequiredValue(place);
        var backup = IsUrl(given)
            ? OfUrl(given, parsed.GetValue(state), surroundings)
            : await OfJobAsync(parsed, given, parsed.GetRequiredValue(job)[0], surroundings, stop);
        return backup.Endpoint.Place is not null
            ? backup
            : throw new ConfigurationException([new ConfigurationError(new SettingOrigin(given), $"{backup.Endpoint.Display} is an account and no backup in files", "look into it with a mail program")]);
    }

    /// <summary>Opens the backup for reading; nothing is written into it.</summary>
    /// <exception cref="MailException"/>
    public static Task<IMessageStore> OpenAsync(Backup backup, HostContext surroundings, CancellationToken cancellationToken) =>
        OpenAsync(backup, surroundings, text => surroundings.Error.WriteLine(TerminalText.Escape($"note: {text}")), cancellationToken);

    /// <param name="note">Called with a note about the backup's mail that a person should know.</param>
    /// <exception cref="MailException">The backup can't be opened.</exception>
    public static async Task<IMessageStore> OpenAsync(Backup backup, HostContext surroundings, Action<string> note, CancellationToken cancellationToken)
    {
        var context = new StoreContext(surroundings.Time, note)
        {
            OnUnread = (_, _, text) => note(text),
            MemoryDirectory = backup.Numbers,
            MemoryIsReadOnly = false,
        };
        var store = await surroundings.OpenStore.OpenAsync(backup.Endpoint, context, cancellationToken);
        return context.MemoryDirectory is { } memory ? StoreInTurns.Of(store, memory, surroundings.Time) : store;
    }

    private static bool IsUrl(string text) =>
        StoreRegistry.Kinds.Where(k => !k.IsSourceOnly && !k.IsServer).SelectMany(k => k.Schemes).Any(s => text.StartsWith(s + ":", StringComparison.OrdinalIgnoreCase));

    private static Backup OfUrl(string url, string? state, HostContext surroundings)
    {
        var endpoint = JobFileReader.ReadEndpoint(Directory.GetCurrentDirectory(), [new GivenSetting("FILE", ["url"], url)], surroundings.JobFileOptions);
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(endpoint.Identity)))[..16];
        var root = state is not null ? Path.GetFullPath(state)
            : surroundings.Environment.GetValueOrDefault("XDG_STATE_HOME") is { } xdg && Path.IsPathRooted(xdg) ? Path.Combine(xdg, "imapsync")
            : surroundings.Environment.GetValueOrDefault("HOME") is { Length: > 0 } home ? Path.Combine(home, ".local", "state", "imapsync")
            : null;
        return new Backup("backup", endpoint, root is null ? null : Path.Combine(root, $"backup-{digest}", "served"));
    }

    private async Task<Backup> OfJobAsync(ParseResult parsed, string file, string name, HostContext surroundings, CancellationToken stop)
    {
        var read = JobFileReader.Read(file, surroundings.JobFileOptions with { Jobs = [name], StateRoot = parsed.GetValue(state), UsesSource = false, Stop = stop });
        foreach (var note in read.Notes)
            await surroundings.Error.WriteLineAsync(TerminalText.Escape($"note: {note}"));
        var definition = read.Jobs[0];
        var backup = Backup.Of(definition, surroundings.Time);
        // The UIDs given to the snapshot's messages are recorded in a directory for this snapshot alone, because the snapshot and the
        // backup contain different messages.
        return at.Find(parsed, definition, surroundings.Time) is { } snapshot
            ? new Backup(definition.Name, SnapshotOption.AsOf(definition, snapshot).Target, Path.Combine(backup.Numbers!, snapshot.Name))
            : backup;
    }

    private static void RefuseOptions(ArgumentResult result)
    {
        foreach (var token in result.Tokens.Where(t => t.Value.StartsWith('-')))
            result.AddError(UsageErrors.UnknownOption(token.Value, ((CommandResult)result.Parent!).Command));
    }

    private IEnumerable<CompletionItem> CompleteJobs(CompletionContext context) =>
        context.ParseResult.GetResult(place)?.Tokens is not [var path, ..] || IsUrl(path.Value)
            ? []
            : JobFileReader.ReadNames(path.Value).Order(StringComparer.Ordinal).Select(name => new CompletionItem(name));
}
