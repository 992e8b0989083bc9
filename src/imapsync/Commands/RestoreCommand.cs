using System.CommandLine;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync restore</c>: restores mail from a backup job.</summary>
internal static class RestoreCommand
{
    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("restore", "Bring mail back from a job's target to its source, or to another place. The backup is only read.",
            ("imapsync restore jobs.yaml alice", "Put back everything that the account no longer has."),
            ("imapsync restore jobs.yaml alice --folder 'Projects/**' --since 2024-01-01", "Some folders, from a date on."),
            ("imapsync restore jobs.yaml alice --message-id '<4711@example.org>'", "One message."),
            ("imapsync restore jobs.yaml alice --to imaps://alice@new.example.com --to-password-env NEW_PASSWORD", "Into another account."),
            ("imapsync restore jobs.yaml alice --at 2026-11-01", "What the account had at the end of that day, from a snapshot."),
            ("imapsync restore jobs.yaml alice --to maildir:/tmp/alice --dry-run", "Say what would be restored, change nothing."));
        var arguments = new JobFileArguments(command, isOneJob: true);
        var running = new RunningOptions(command);
        var at = new SnapshotOption(command);
        var folder = Texts("--folder", "GLOB", "Only folders that fit, by the names they have where the mail goes. May be given several times.");
        var since = new Option<string>("--since") { Description = "Only messages received at this date or later, for example 2024-01-31.", HelpName = "DATE" };
        var before = new Option<string>("--before") { Description = "Only messages received before this date.", HelpName = "DATE" };
        var messageId = Texts("--message-id", "ID", "Only the message with this Message-ID. May be given several times.");
        var id = Texts("--id", "ID", "Only this message of the backup, as imapsync find prints it. May be given several times.");
        var to = new Option<string>("--to") { Description = $"Where to put the mail in place of the job's source: {CommandTerms.TargetUrls}.", HelpName = "URL" };
        foreach (var option in new Option[] { folder, since, before, messageId, id, to })
            command.Add(option);
        var toSettings = new SettingOptions(command, "to-", JobSettings.Endpoint);
        command.Validators.Add(result =>
        {
            if (result.GetResult(to) is null && result.Children.OfType<System.CommandLine.Parsing.OptionResult>().Any(o => o.Option.Name.StartsWith("--to-", StringComparison.Ordinal)))
                result.AddError("The --to-… options describe the endpoint that --to names; give --to as well.");
        });
        command.SetAction((parsed, cancellationToken) => running.Read(parsed, arguments.IsJson(parsed)).RunAsync(
            async (logged, c) =>
            {
                var url = parsed.GetValue(to);
                var file = await arguments.ReadAsync(parsed, logged, usesSource: url is null, c);
                var request = new RestoreRequest
                {
                    Folders = parsed.GetValue(folder) ?? [],
                    Since = parsed.GetValue(since),
                    Before = parsed.GetValue(before),
                    MessageIds = parsed.GetValue(messageId) ?? [],
                    Ids = parsed.GetValue(id) ?? [],
                    To = url is null ? [] : [new GivenSetting("--to", ["url"], url), .. toSettings.Read(parsed)],
                };
                var backup = file.Jobs[0];
                var snapshot = at.Find(parsed, backup, surroundings.Time);
                var job = RestoreReader.Read(snapshot is null ? backup : SnapshotOption.AsOf(backup, snapshot), request, Directory.GetCurrentDirectory(), surroundings.JobFileOptions);
                // Even for a snapshot, keep the state in the backup's own directory: (1) Nothing may be written into a snapshot. (2) Mail
                // restored from one snapshot must be recognized when another snapshot is restored.
                job = job with { State = RestoreOrigin.StateOf(backup, job.Target) };
                var restoring = new JobFile([job], []);
                await restoring.AskForSecretsAsync(c);
                return restoring;
            },
            surroundings,
            cancellationToken));
        return command;
    }

    private static Option<string[]> Texts(string name, string helpName, string description) =>
        new(name) { Description = description, HelpName = helpName, Arity = ArgumentArity.OneOrMore };
}
