using System.CommandLine;
using System.Globalization;
using Imapsync.CommandLine.Output;
using Imapsync.CommandLine.Setup;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Mail;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync init</c>: sets up a job for a mail address, with questions or with options.</summary>
internal static class InitCommand
{
    /// <summary>
    /// The account settings that have command options, because they are needed before the job file exists. The others can
    /// be added to the job file later.
    /// </summary>
    private static readonly string[] AccountKeys = ["provider", "password_env", "password_file", "password_command", "tls_ca_file", "tls_fingerprint", "auth", "authorize_as"];

    private static readonly string[] TimeForms = ["HH:mm", "H:mm"];

    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("init", "Set up a backup or a move by a few questions: find the server, sign in, write a job file, try it.",
            ("imapsync init you@example.com", "Ask what is needed, with a default wherever there can be one."),
            ("imapsync init you@gmail.com --to you@fastmail.com", "Move to another provider."),
            ("imapsync init you@example.com --yes --source-password-file secret --to /var/backups/you --schedule systemd-user", "Ask nothing."));
        var address = new Argument<string?>("ADDRESS") { Description = "The address of the mailbox, or imaps://USER@HOST.", Arity = ArgumentArity.ZeroOrOne };
        var yes = new Option<bool>("--yes", "-y") { Description = "Take the default of every question that no option answers." };
        var sourceUrl = Text("--source-url", "The mailbox's server, imaps://HOST or imap://HOST:PORT, where it is not found by itself.", "URL");
        var oauth = new Option<bool>("--oauth") { Description = "Sign in by OAuth 2 where the provider has it, in place of a password." };
        var to = Text("--to", "Where to copy: a directory, maildir:PATH, mbox:PATH, eml:PATH, the address of an account, or imaps://USER@HOST.", "TARGET");
        var exclude = new Option<string[]>("--exclude") { Description = "Leave out folders that fit this glob. May be given several times; an empty one leaves out nothing.", HelpName = "GLOB" };
        var deletions = Choice("--deletions", "What becomes of messages that vanish from the source.", "keep", "trash", "mirror");
        var name = Text("--name", "The job's name.", "NAME");
        var file = Text("--file", "The job file to write.", "FILE");
        var force = new Option<bool>("--force") { Description = "Replace files that are there already." };
        var keep = Choice("--keep-password", "Where a password that is typed is kept: in a file for you alone, or in an environment variable that you set.", "file", "env");
        var schedule = Choice("--schedule", "Run it every day: write a systemd service and timer, or show a line for cron.", "no", "systemd-user", "systemd-system", "cron");
        var at = new Option<TimeOnly>("--at")
        {
            Description = "When, as HH:MM.",
            HelpName = "TIME",
            DefaultValueFactory = _ => new InitChoices().At,
            CustomParser = result =>
            {
                if (TimeOnly.TryParseExact(result.Tokens[0].Value, TimeForms, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
                    return time;
                result.AddError($"--at {result.Tokens[0].Value}: write a time such as 02:15.");
                return default;
            },
        };
        var run = Choice("--run", "Copy everything at once, and look whether it is all there.", "yes", "no");
        address.Validators.Add(JobFileArguments.RefuseOptions);
        command.Add(address);
        foreach (var option in new Option[] { yes, sourceUrl, oauth, to, exclude, deletions, name, file, force, keep, schedule, at, run })
            command.Add(option);
        var settings = JobSettings.Endpoint.Where(s => AccountKeys.Contains(s.Path[^1])).ToList();
        var source = new SettingOptions(command, "source-", [.. settings]);
        var target = new SettingOptions(command, "target-", [.. settings]);
        command.SetAction((parsed, cancellationToken) => StopSignals.GuardAsync(
            surroundings.Time,
            (_, stop) => RunAsync(surroundings, new InitChoices
            {
                Address = parsed.GetValue(address),
                TakesDefaults = parsed.GetValue(yes),
                SourceUrl = parsed.GetValue(sourceUrl),
                Source = [.. source.Read(parsed)],
                Target = [.. target.Read(parsed)],
                PrefersOAuth = parsed.GetValue(oauth),
                To = parsed.GetValue(to),
                Exclude = parsed.GetResult(exclude) is null ? null : [.. parsed.GetValue(exclude)!.Where(g => g.Length > 0)],
                Deletions = parsed.GetValue(deletions),
                Name = parsed.GetValue(name),
                File = parsed.GetValue(file),
                Force = parsed.GetValue(force),
                KeepPassword = parsed.GetValue(keep) ?? "file",
                Schedule = parsed.GetValue(schedule),
                At = parsed.GetValue(at),
                Run = parsed.GetValue(run),
            }, stop),
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(HostContext surroundings, InitChoices choices, CancellationToken stop)
    {
        try
        {
            return await new InitRun(surroundings, choices).RunAsync(stop);
        }
        catch (MailException e)
        {
            await surroundings.Error.WriteLineAsync(TerminalText.Escape(e.Message));
            return ExitStatus.Of(e);
        }
    }

    private static Option<string?> Text(string name, string description, string helpName) => new(name) { Description = description, HelpName = helpName };

    private static Option<string?> Choice(string name, string description, params string[] words)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = string.Join('|', words) };
        option.AcceptOnlyFromAmong(words);
        return option;
    }
}
