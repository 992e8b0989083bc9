using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Checking;
using Imapsync.Engine.History;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Preflight;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;

namespace Imapsync.CommandLine.Commands;

/// <summary>
/// <c>imapsync check</c>: reports whether jobs could run and how much they would copy. It connects and logs in, but changes nothing.
/// </summary>
internal static class CheckCommand
{
    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("check", "Check jobs: read the file, connect, log in, show what each side can do and how much there is. Changes nothing.",
            ("imapsync check jobs.yaml", "Check every job of the file."),
            ("imapsync check bulk.yaml --parallel 10 --sizes --csv checked.csv", "Check many accounts before they are moved, and write a table of them to be corrected."),
            ("imapsync check jobs.yaml alice --output json", "Check one job, for a program."));
        var arguments = new JobFileArguments(command);
        var log = new LogOptions(command);
        var parallel = RunCommand.ParallelOption(4);
        var sizes = new Option<bool>("--sizes") { Description = "Also add up the sizes of messages, and hold them against the target's quota (slower: lists all of them)." };
        var csv = new Option<string>("--csv") { Description = "Write the result of each job to this file, as CSV, with the columns of the file that for_each names.", HelpName = "FILE" };
        var passwords = new Option<string>("--csv-passwords") { Description = "What --csv does with columns of passwords: omit them or mask what is in them.", DefaultValueFactory = _ => "omit" };
        passwords.AcceptOnlyFromAmong("omit", "mask");
        command.Add(parallel);
        command.Add(sizes);
        command.Add(csv);
        command.Add(passwords);
        command.SetAction((parsed, cancellationToken) =>
        {
            var choices = new Choices(parsed.GetValue(parallel), parsed.GetValue(sizes), parsed.GetValue(csv), parsed.GetValue(passwords) == "mask");
            return log.Read(parsed).RunAsync(surroundings, logged =>
                StopSignals.GuardAsync(logged.Time, (_, stop) => RunAsync(parsed, arguments, choices, logged, stop), cancellationToken));
        });
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, JobFileArguments arguments, Choices choices, HostContext surroundings, CancellationToken stop)
    {
        if (!await ReportFile.MayBeWrittenAsync(choices.Csv, surroundings.Error, "--csv"))
            return ExitStatus.Usage;
        var file = await arguments.LoadAsync(parsed, surroundings, stop, needsJobs: false);
        var (jobs, badRows) = (file.Jobs, file.BadRows);
        var checks = await CheckAllAsync(jobs, choices, surroundings, stop);
        var status = ExitStatus.Worst(checks.Select(CheckText.StatusOf).Append(ExitStatus.Of(badRows)));
        status = ExitStatus.Worst([status, await ReportFile.TryWriteAsync(choices.Csv, csv => CheckCsv.WriteAsync(csv, [.. jobs.Zip<JobDefinition, AccountCheck?>(checks)], badRows, choices.MasksPasswords), surroundings.Error)]);
        if (arguments.IsJson(parsed))
        {
            await surroundings.Out.WriteLineAsync(JsonSerializer.Serialize(new CheckJson([.. checks.Select(JobCheckJson.Of)], RowReport.Lines(file)), DocumentJson.Default.CheckJson));
            return status;
        }

        CheckText.Print(checks, surroundings.Trace.IsOnScreen, surroundings.Text);
        if (surroundings.IsQuiet)
            CheckText.PrintProblems(checks, surroundings.Screen ?? surroundings.Error);
        if (jobs.Length + badRows.Length > 1)
            await surroundings.Text.WriteLineAsync(Sum(jobs, checks, badRows.Length, choices));
        else if (status == ExitStatus.Ok && jobs is [var job])
            await surroundings.Text.WriteAsync(TerminalText.Escape($"Nothing stands in the way: imapsync run {arguments.PathOf(parsed)} {job.Name}") + "\n");
        return status;
    }

    /// <summary>Converts the result of checking a job to a report, which is recorded in the job's history.</summary>
    private static JobReport Report(AccountCheck check, DateTimeOffset began, DateTimeOffset ended)
    {
        ImmutableArray<Problem> problems =
        [
            .. new[] { check.Source.Failure, check.Target.Failure }.OfType<MailException>().Select(f => new Problem(FailureScope.Store, null, null, Reason(f), f.Message)),
            .. check.Problems.Select(p => new Problem(FailureScope.Store, null, null, Reasons.Failed, p)),
        ];
        return new JobReport(check.Job, problems.IsEmpty ? JobOutcome.Ok : JobOutcome.Failed, began, ended, new FolderCounts(), [], problems, []);
    }

    private static string Reason(MailException failure) => failure.Kind switch
    {
        FailureKind.Connect => Reasons.Connect,
        FailureKind.Authentication => Reasons.Authentication,
        FailureKind.Configuration => Reasons.Configuration,
        _ => Reasons.Failed,
    };

    /// <summary>Checks all jobs and returns the results in job order.</summary>
    private static async Task<IReadOnlyList<AccountCheck>> CheckAllAsync(IReadOnlyList<JobDefinition> jobs, Choices choices, HostContext surroundings, CancellationToken stop)
    {
        var runner = new CheckRunner(surroundings.Time, surroundings.OpenStore);
        await using var events = surroundings.ShowEvents(isJson: false, liveJobs: 0);
        var checks = new AccountCheck[jobs.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, jobs.Count),
            new ParallelOptions { MaxDegreeOfParallelism = choices.Parallel, CancellationToken = stop },
            async (at, c) =>
            {
                var history = new HistoryKeeping(surroundings, jobs[at], HistoryKind.Check, isKept: true, events.Say);
                await history.BeginAsync();
                var check = checks[at] = await runner.RunAsync(jobs[at], choices.WithSizes, events.Show, c);
                await history.EndAsync(begun => begun.End(Report(check, begun.Began, surroundings.Time.GetUtcNow()), CheckText.StatusOf(check)));
                foreach (var (name, side) in new[] { ("source", check.Source), ("target", check.Target) })
                    surroundings.FullLog?.Say($"{check.Job}: {name} {side.Endpoint.Display}: {side.Failure?.Message ?? "ok"}");
            });
        await events.CompleteAsync();
        return checks;
    }

    private static string Sum(IReadOnlyList<JobDefinition> jobs, IReadOnlyList<AccountCheck> checks, int badRows, Choices choices)
    {
        List<(JobDefinition Job, MailboxSize Size)> sized = [.. jobs.Zip(checks).Where(c => c.Second.Size is not null).Select(c => (c.First, c.Second.Size!))];
        var good = checks.Count(c => CheckText.StatusOf(c) == ExitStatus.Ok);
        var bytes = choices.WithSizes ? $" ({Quantities.Octets(sized.Sum(s => s.Size.BytesLeft ?? 0))})" : "";
        var left = sized.Sum(s => s.Size.MessagesLeft);
        var text = $"{Quantities.Count(good)} of {Quantities.Count(checks.Count + badRows, "job")} can be run; messages to be copied: {Quantities.Count(left)}{bytes}";
        if (left == 0)
            return text;
        return $"{text}; with --parallel {choices.Parallel} about {Quantities.Duration(DurationEstimate.Of(sized, choices.Parallel))}, "
            + $"at {DurationEstimate.MessagesPerSecond} messages and {Quantities.Octets(DurationEstimate.BytesPerSecond)} a second for each account and within the limits of the file";
    }

    private sealed record Choices(int Parallel, bool WithSizes, string? Csv, bool MasksPasswords);
}
