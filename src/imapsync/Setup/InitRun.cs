using System.Collections.Immutable;
using Imapsync.CommandLine.Commands;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Mail;

namespace Imapsync.CommandLine.Setup;

/// <summary>
/// Leads from a mail address to a tested job file: asks, signs in, shows the folders, performs a dry run, and only then writes files.
/// </summary>
internal sealed class InitRun(HostContext surroundings, InitChoices choices)
{
    private static readonly string[] Schedules = ["no", "systemd-user", "systemd-system", "cron"];

    private readonly Questions questions = new(surroundings, choices.TakesDefaults);

    private string Home => surroundings.Environment.GetValueOrDefault("HOME") is { Length: > 0 } home ? home : Directory.GetCurrentDirectory();

    /// <exception cref="ConfigurationException">An answer or a setting is invalid, or it is missing and there is no terminal to ask on.</exception>
    /// <exception cref="MailException">An account refuses the sign-in.</exception>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var address = await questions.AskAsync("Address of the mailbox to copy", "", choices.Address, "ADDRESS", cancellationToken);
        var source = await new AccountSetup(surroundings, questions, "source", choices.Source, choices.SourceUrl, choices.PrefersOAuth).AskAsync(address, cancellationToken);
        var name = choices.Name ?? NameOf(source.Address);
        var (target, targetAccount) = await AskTargetAsync(name, cancellationToken);
        var exclude = await AskExcludeAsync(source, cancellationToken);
        var file = Path.GetFullPath(await AskFileAsync(name, cancellationToken));
        var draft = new JobDraft(name, ShellWord.Quote(Path.GetFileName(file))) { Source = source.Settings, Target = target, Exclude = exclude, Rules = Rules(source, targetAccount) };
        var status = await TryAsync(draft, file, [("source", source), .. targetAccount is null ? Array.Empty<(string, Account)>() : [("target", targetAccount)]], cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        if (status is not (ExitStatus.Ok or ExitStatus.Incomplete))
        {
            questions.Say("The dry run failed, so nothing was written.");
            return status;
        }

        var schedule = await AskScheduleAsync(name, file, cancellationToken);
        return await WriteAsync(draft, file, source, targetAccount, schedule, cancellationToken);
    }

    private async Task<(ImmutableArray<DraftSetting> Settings, Account? Account)> AskTargetAsync(string name, CancellationToken cancellationToken)
    {
        var fallback = $"maildir:{Path.Combine(Home, "mail-backup", name)}";
        var answer = TargetAnswer.Parse(await questions.AskAsync("Where to: a directory, or the address of another account", fallback, choices.To, "--to", cancellationToken), Home);
        if (answer.DirectoryUrl is { } url)
            return ([new DraftSetting("url", url, url.StartsWith("mbox", StringComparison.Ordinal) ? "a file for each folder" : "a file for each message")], null);
        var account = await new AccountSetup(surroundings, questions, "target", choices.Target, null, choices.PrefersOAuth).AskAsync(answer.Account!, cancellationToken);
        return (account.Settings, account);
    }

    private async Task<ImmutableArray<string>> AskExcludeAsync(Account source, CancellationToken cancellationToken)
    {
        if (source.NeedsLogin)
            return choices.Exclude is { } known ? [.. known] : source.Provider?.LeaveOut ?? [];
        var overview = await FolderOverview.ReadAsync(source.Endpoint("source", surroundings), surroundings, cancellationToken);
        overview.Print(surroundings.Error);
        if (choices.Exclude is { } given)
            return [.. given];
        var proposal = overview.Proposal(source.Provider);
        var fallback = proposal.IsEmpty ? "-" : string.Join(", ", proposal);
        var answer = await questions.AskAsync("Folders to leave out, with commas between them, - for none", fallback, null, "--exclude", cancellationToken);
        return answer == fallback ? proposal : answer == "-" ? [] : [.. answer.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
    }

    private async Task<string> AskFileAsync(string name, CancellationToken cancellationToken)
    {
        var fallback = name + ".yaml";
        while (true)
        {
            var file = await questions.AskAsync("Job file", fallback, choices.File, "--file", cancellationToken);
            if (choices.Force || !Path.Exists(file))
                return file;
            if (!questions.IsDialogue || choices.File is not null)
                throw Questions.Wrong("--file", $"there is a file {file} already", "give another name by --file, or --force to replace it");
            questions.Say($"There is a file {file} already, which is not replaced.");
            fallback = Enumerable.Range(2, int.MaxValue - 2).Select(n => $"{name}-{n}.yaml").First(f => !Path.Exists(f));
        }
    }

    private ImmutableArray<DraftSetting> Rules(Account source, Account? target)
    {
        var rules = new List<DraftSetting>();
        if (source.Provider is { HasLabels: true })
            rules.Add(new DraftSetting("labels", target?.Provider is { HasLabels: true } ? "keywords" : "folders", "what to make of Gmail's labels: folders or keywords"));
        rules.Add(new DraftSetting("deletions", choices.Deletions ?? "keep", "what was deleted at the source: keep it, trash (moved to a folder Removed) or mirror"));
        return [.. rules];
    }

    /// <summary>Parses the job as it will be written into the job file, and performs a dry run of it.</summary>
    private async Task<int> TryAsync(JobDraft draft, string file, IReadOnlyList<(string Side, Account Account)> accounts, CancellationToken cancellationToken)
    {
        var secrets = new Dictionary<string, Secret>();
        foreach (var (side, account) in accounts)
            secrets[$"Password for {account.Endpoint(side, surroundings).Display}"] = account.Typed ?? new Secret("");
        var text = (draft with { Source = WithoutOAuth(draft.Source), Target = WithoutOAuth(draft.Target) }).Write();
        var job = JobFileReader.Parse(file, text, surroundings.JobFileOptions with { Prompt = (question, _) => ValueTask.FromResult(secrets[question]) });
        if (accounts.Any(a => a.Account.NeedsLogin))
        {
            questions.Say("No dry run: somebody has to sign in by OAuth first.");
            return ExitStatus.Ok;
        }

        questions.Say("Dry run: nothing is changed.");
        return await new JobRunning(DryRun: true, null, IsJson: false, Parallel: 1).RunAsync((_, _) => Task.FromResult(job), surroundings, cancellationToken);
    }

    private async Task<Schedule?> AskScheduleAsync(string name, string file, CancellationToken cancellationToken)
    {
        var schedule = new Schedule(name, Schedule.ThisProgram(), file, choices.At);
        var choice = await questions.ChooseAsync($"Run it every day at {choices.At:HH:mm}?", Schedules, "no", choices.Schedule, "--schedule", cancellationToken);
        if (choice == "cron")
        {
            questions.Say("Add this line by 'crontab -e':");
            questions.Show($"  {schedule.CronLine}");
        }

        return choice switch
        {
            "systemd-user" => schedule,
            "systemd-system" => schedule with { User = Environment.UserName },
            _ => null,
        };
    }

    private async Task<int> WriteAsync(JobDraft draft, string file, Account source, Account? target, Schedule? schedule, CancellationToken cancellationToken)
    {
        var keeping = new PasswordKeeping(draft.Name, choices.KeepPassword == "env", surroundings.Environment, choices.Force);
        var files = new SetupFiles(choices.Force);
        draft = draft with { Source = draft.Source.AddRange(keeping.Keep("source", source)), Target = target is null ? draft.Target : draft.Target.AddRange(keeping.Keep("target", target)) };
        foreach (var (path, secret) in keeping.Files)
            files.Add(path, secret.Reveal() + "\n");
        if (schedule?.Units(surroundings.Environment) is { } units)
        {
            files.Add(Path.Combine(units, schedule.UnitName + ".service"), schedule.Service);
            files.Add(Path.Combine(units, schedule.UnitName + ".timer"), schedule.Timer);
        }

        // The job file is written last, since it refers to the other files.
        files.Add(file, draft.Write());
        cancellationToken.ThrowIfCancellationRequested();
        await files.WriteAsync();
        questions.Say($"Written: {file}");
        foreach (var (path, _) in keeping.Files)
            questions.Say($"Written: {path}, the password, readable for you alone");
        foreach (var variable in keeping.Variables.Keys)
            questions.Say($"Set the environment variable {variable} to the password before each run, by hand or by timer.");
        if (schedule is not null)
            TellUnits(schedule);
        return await FinishAsync(draft, file, source.NeedsLogin || target is { NeedsLogin: true }, keeping, cancellationToken);
    }

    private void TellUnits(Schedule schedule)
    {
        questions.Say($"Written: {schedule.UnitName}.service and .timer in {schedule.Units(surroundings.Environment)}. To start the timer:");
        foreach (var command in schedule.Commands())
            questions.Show($"  {command}");
    }

    private async Task<int> FinishAsync(JobDraft draft, string file, bool needsLogin, PasswordKeeping keeping, CancellationToken cancellationToken)
    {
        if (needsLogin)
        {
            questions.Say("Signing in by OAuth needs a client that you register with the provider, once for all jobs: docs/sign-in.md says how,");
            questions.Say("and what then stands behind 'oauth:' in the job file. After that sign in once, look and run:");
            questions.Show($"  imapsync login {ShellWord.Quote(file)} {draft.Name}");
            questions.Show($"  imapsync check {ShellWord.Quote(file)}");
            questions.Show($"  imapsync run {ShellWord.Quote(file)}");
            return ExitStatus.Ok;
        }

        var status = ExitStatus.Ok;
        if (await questions.ConfirmAsync("Copy everything now?", fallback: true, choices.Run, "--run", cancellationToken))
        {
            var environment = surroundings.Environment.ToDictionary();
            foreach (var (variable, secret) in keeping.Variables)
                environment[variable] = secret.Reveal();
            var host = surroundings with { Environment = environment };
            status = await CommandLineRoot.InvokeAsync(["run", file], host);
            if (status == ExitStatus.Ok)
                status = await CommandLineRoot.InvokeAsync(["verify", file], host);
        }

        questions.Show($"From now on: imapsync run {ShellWord.Quote(file)}");
        return status;
    }

    private static ImmutableArray<DraftSetting> WithoutOAuth(ImmutableArray<DraftSetting> settings) => settings.RemoveAll(s => s.Key == "oauth");

    /// <summary>Converts an address to a job name, replacing characters that are not allowed.</summary>
    private static string NameOf(string address)
    {
        var place = address.IndexOf("://", StringComparison.Ordinal) is >= 0 and var at ? address[(at + 3)..].TrimEnd('/') : address;
        var name = string.Concat(place.Select(c => char.IsLetterOrDigit(c) || c is '.' or '-' or '_' or '@' or '+' ? c : '-')).TrimStart('.', '-');
        return name.Length is 0 ? "mail" : name[..Math.Min(name.Length, 100)];
    }
}
