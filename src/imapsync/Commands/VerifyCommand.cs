using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.History;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Verifying;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync verify</c>: compares the target's mail with the source's.</summary>
internal static class VerifyCommand
{
    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("verify", "Prove that the target holds what the source holds, message by message. Changes nothing at either.",
            ("imapsync verify jobs.yaml", "Compare listings and headers."),
            ("imapsync verify jobs.yaml alice --full", "Compare every byte of one job."),
            ("imapsync verify jobs.yaml --offline", "Compare the target with what was recorded when it was made, without the source."),
            ("imapsync verify jobs.yaml --full --sample 10%", "Read a tenth of the messages, the next run another tenth."),
            ("imapsync verify bulk.yaml --parallel 10", "Look after a move of many accounts, 10 at once."));
        var arguments = new JobFileArguments(command);
        var at = new SnapshotOption(command);
        var full = new Option<bool>("--full") { Description = "Compare every byte." };
        var offline = new Option<bool>("--offline") { Description = "Without the source: compare every byte of the target with the recorded checksums." };
        var sample = new Option<double>("--sample")
        {
            Description = "Read only this share of the messages, for example 10%, another one each time; listings are compared whole. Without it, all.",
            HelpName = "PERCENT",
            CustomParser = ParseShare,
        };
        var parallel = RunCommand.ParallelOption(2);
        var report = new Option<string>("--report") { Description = "Write what was found to this file, as JSON.", HelpName = "FILE" };
        command.Add(full);
        command.Add(offline);
        command.Add(sample);
        command.Add(parallel);
        command.Add(report);
        var log = new LogOptions(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(full) && result.GetValue(offline))
                result.AddError("--full compares with the source, --offline does without it (and reads every octet): choose one.");
        });
        command.SetAction((parsed, cancellationToken) =>
        {
            var options = new VerifyOptions(parsed.GetValue(full), parsed.GetValue(offline), parsed.GetResult(sample) is null ? 1 : parsed.GetValue(sample));
            var choices = new Choices(options, parsed.GetValue(parallel), parsed.GetValue(report));
            return log.Read(parsed).RunAsync(surroundings, logged =>
                StopSignals.GuardAsync(logged.Time, (signals, stop) => RunAsync(parsed, arguments, at, logged, choices, signals, stop), cancellationToken));
        });
        return command;
    }

    private static async Task<int> RunAsync(
        ParseResult parsed, JobFileArguments arguments, SnapshotOption at, HostContext surroundings, Choices choices, StopSignals signals, CancellationToken stop)
    {
        if (!await ReportFile.MayBeWrittenAsync(choices.Report, surroundings.Error))
            return ExitStatus.Usage;
        var file = await arguments.LoadAsync(parsed, surroundings, stop);
        using var copies = new StateCopies();
        ImmutableArray<JobDefinition> jobs = [.. file.Jobs.Select(j => at.Find(parsed, j, surroundings.Time) is { } snapshot ? copies.Of(SnapshotOption.AsOf(j, snapshot)) : j)];
        await using var events = surroundings.ShowEvents(isJson: false, liveJobs: 0);
        var output = VerifyOutput.Of(surroundings, events, arguments.IsJson(parsed));
        IReadOnlyList<VerifyReport> reports =
        [
            .. RowReport.Reports(file, surroundings.Time.GetUtcNow()).Select(r => new VerifyReport(r, VerifyCounts.None, [])),
            .. await VerifyAllAsync(jobs, choices, output, events, surroundings, signals, stop),
        ];

        var statuses = reports.Select(r => ExitStatus.Of(r.Job, signals.InterruptedStatus)).ToList();
        using var errors = new StringWriter();
        statuses.Add(await ReportFile.TryWriteAsync(
            choices.Report,
            new VerifyReportJson(VerifyTotalsJson.Of(VerifyOutput.Sum(reports)), [.. reports.Select(r => VerifiedJobJson.Of(r, withFindings: true))]),
            VerifyJson.Default.VerifyReportJson,
            errors));
        var complaints = errors.ToString();
        var showing = Task.Run(
            async () =>
            {
                await events.CompleteAsync();
                output.Finish(reports);
                await surroundings.Error.WriteAsync(complaints);
            },
            CancellationToken.None);
        await Task.WhenAny(showing, JobQueue.AfterAbortAsync(TimeSpan.FromSeconds(1), surroundings.Time, signals.Abort)).Unwrap();
        return ExitStatus.Worst(statuses);
    }

    /// <summary>Verifies all jobs and returns the results in job order.</summary>
    private static async Task<IReadOnlyList<VerifyReport>> VerifyAllAsync(
        IReadOnlyList<JobDefinition> jobs, Choices choices, VerifyOutput output, EventFeed events, HostContext surroundings, StopSignals signals, CancellationToken stop)
    {
        var runner = new VerifyRunner(surroundings.Time, surroundings.OpenStore);
        var histories = jobs.ToDictionary(j => j.Name, j => new HistoryKeeping(surroundings, j, HistoryKind.Verify, isKept: true, events.Say), StringComparer.Ordinal);
        // The queue returns only job reports, so keep each verification's counts and findings here. A job that never ended has no entry.
        var verified = new ConcurrentDictionary<string, VerifyReport>(StringComparer.Ordinal);
        var queue = new JobQueue(VerifyAsync, surroundings.Time, output.Show)
        {
            OnBegin = job => histories[job.Name].BeginAsync(),
            OnEnd = (job, report) => histories[job.Name].EndAsync(begun => begun.End(Whole(report), ExitStatus.Of(report, signals.InterruptedStatus))),
        };
        return [.. (await queue.RunAsync(jobs, choices.Parallel, new RunOptions(), stop, signals.Abort)).Select(Whole)];

        async Task<JobReport> VerifyAsync(JobDefinition job, RunOptions options, Action<JobEvent> onEvent, CancellationToken stopJob, CancellationToken abort)
        {
            var report = await runner.RunAsync(job, choices.Options, onEvent, output.Show, stopJob, abort);
            verified[job.Name] = report;
            return report.Job;
        }

        // Use the job report from the queue, not the verification's own, because the queue may have added a note or abandoned the job.
        VerifyReport Whole(JobReport report) => new(report, verified.GetValueOrDefault(report.Name)?.Counts ?? VerifyCounts.None, verified.GetValueOrDefault(report.Name)?.Findings ?? []);
    }

    /// <summary>Parses a percentage such as <c>10%</c>. A bare number is rejected, since 1 could mean everything or one percent.</summary>
    private static double ParseShare(ArgumentResult argument)
    {
        var text = argument.Tokens is [var token] ? token.Value : "";
        if (text.EndsWith('%') && double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent)
            && percent is >= 0.01 and <= 100)
            return percent / 100;
        argument.AddError("--sample must be a percentage from 0.01% to 100%, written with its sign, for example 10%.");
        return 1;
    }

    private sealed record Choices(VerifyOptions Options, int Parallel, string? Report);
}
