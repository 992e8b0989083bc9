using System.CommandLine;
using System.Text;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Files;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync copy</c>: runs one job without a job file.</summary>
internal static class CopyCommand
{
    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("copy", "Copy one mailbox to another place without a job file. Repeated, it copies what is new.",
            ("imapsync copy imaps://alice@imap.example.com maildir:mail/alice", "Back up an account; the password is asked for."),
            ("imapsync copy imaps://alice@old.example.com imaps://alice@new.example.com --source-password-env OLD --target-password-env NEW", "Move to another provider."),
            ("imapsync copy mbox:mail maildir:Maildir --exclude Junk --save job.yaml", "Turn mbox files into a Maildir, and keep the job to be run again."));
        var source = new Argument<string>("SOURCE_URL") { Description = $"Where the mail is: {CommandTerms.SourceUrls}. Never with a password." };
        var target = new Argument<string>("TARGET_URL") { Description = $"Where the mail goes: {CommandTerms.TargetUrls}." };
        command.Add(source);
        command.Add(target);
        var running = new RunningOptions(command);
        var output = JobFileArguments.OutputOption();
        var save = new Option<string>("--save") { Description = "Also write the job to this file, to be run by: imapsync run FILE.", HelpName = "FILE" };
        var force = new Option<bool>("--force") { Description = "Let --save replace a file." };
        var set = new Option<string[]>("--set") { Description = "Any setting of a job file, for example --set source.connections=4. May be given several times.", HelpName = "KEY=VALUE" };
        foreach (var option in new Option[] { output, save, force, set })
            command.Add(option);
        var sourceSettings = new SettingOptions(command, "source-", JobSettings.Endpoint);
        var targetSettings = new SettingOptions(command, "target-", JobSettings.Endpoint);
        var jobSettings = new SettingOptions(command, "", JobSettings.Job);
        command.SetAction((parsed, cancellationToken) => running.Read(parsed, parsed.GetValue(output) == "json").RunAsync(
            async (logged, c) =>
            {
                GivenSetting[] given =
                [
                    new("copy", ["name"], "copy"), .. jobSettings.Read(parsed),
                    new("SOURCE_URL", ["source", "url"], parsed.GetRequiredValue(source)), .. sourceSettings.Read(parsed, "source"),
                    new("TARGET_URL", ["target", "url"], parsed.GetRequiredValue(target)), .. targetSettings.Read(parsed, "target"),
                ];
                var job = JobFileReader.Compose(Directory.GetCurrentDirectory(), given, surroundings.JobFileOptions with { Set = parsed.GetValue(set) ?? [] });
                foreach (var note in job.File.Notes)
                    await logged.Aside.WriteLineAsync(TerminalText.Escape($"note: {note}"));
                if (parsed.GetValue(save) is { } path)
                    await SaveAsync(path, job.Text, parsed.GetValue(force), c);
                await job.File.AskForSecretsAsync(c);
                return job.File;
            },
            surroundings,
            cancellationToken));
        return command;
    }

    /// <summary>Saves the job file atomically. Only its owner can read it, since it says where the secrets are.</summary>
    /// <exception cref="ConfigurationException"/>
    private static async Task SaveAsync(string path, string text, bool force, CancellationToken cancellationToken)
    {
        string message, remedy;
        if (OutputFile.WouldReplace(path) && !force)
        {
            (message, remedy) = ("there is such a file already", "give another name, or --force to replace it");
        }
        else
        {
            try
            {
                await OutputFile.WriteAsync(path, file => file.WriteAsync(new UTF8Encoding(false).GetBytes(text), cancellationToken).AsTask());
                return;
            }
            catch (Exception e) when (FileErrors.Is(e))
            {
                (message, remedy) = ($"it can't be written: {e.Message}", "look at the directory and its permissions");
            }
        }

        throw new ConfigurationException([new ConfigurationError(new SettingOrigin($"--save {path}"), message, remedy)]);
    }
}
