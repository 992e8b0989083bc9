using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.History;
using Imapsync.Engine.Jobs;
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
            ("imapsync verify jobs.yaml --full --sample 10%", "Read a tenth of the messages, the next run another tenth."));
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
        var report = new Option<string>("--report") { Description = "Write what was found to this file, as JSON.", HelpName = "FILE" };
        command.Add(full);
        command.Add(offline);
        command.Add(sample);
        command.Add(report);
        var log = new LogOptions(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(full) && result.GetValue(offline))
                result.AddError("--full compares with the source, --offline does without it (and reads every octet): choose one.");
        });
        command.SetAction((parsed, cancellationToken) =>
        {
            var choices = new Choices(new VerifyOptions(parsed.GetValue(full), parsed.GetValue(offline), parsed.GetResult(sample) is null ? 1 : parsed.GetValue(sample)), parsed.GetValue(report));
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
        var jobs = (await arguments.LoadAsync(parsed, surroundings, stop)).Jobs;
        using var copies = new StateCopies();
        jobs = [.. jobs.Select(j => at.Find(parsed, j, surroundings.Time) is { } snapshot ? copies.Of(SnapshotOption.AsOf(j, snapshot)) : j)];
        await using var events = surroundings.ShowEvents(isJson: false, liveJobs: 0);
        var output = new VerifyOutput(surroundings.Out, events, arguments.IsJson(parsed), surroundings.Log);
        var runner = new VerifyRunner(surroundings.Time, surroundings.OpenStore);
        var reports = new List<VerifyReport>();
        foreach (var job in jobs)
        {
            var history = new HistoryKeeping(surroundings, job, HistoryKind.Verify, isKept: true, events.Say);
            await history.BeginAsync();
            // Findings are written directly to the output, which may block when nobody reads it, so this runs on a thread-pool thread.
            var verifying = Task.Run(() => runner.RunAsync(job, choices.Options, output.Show, output.Show, stop, signals.Abort), CancellationToken.None);
            var report = await Task.WhenAny(verifying, AbandonAsync(job)).Unwrap();
            await history.EndAsync(begun => begun.End(report, ExitStatus.Of(report.Job, signals.InterruptedStatus)));
            reports.Add(report);
        }

        var statuses = reports.Select(r => ExitStatus.Of(r.Job, signals.InterruptedStatus)).ToList();
        using var errors = new StringWriter();
        statuses.Add(await ReportFile.TryWriteAsync(
            choices.Report,
            new VerifyReportJson([.. reports.Select(r => VerifiedJobJson.Of(r, withFindings: true))]),
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

        async Task<VerifyReport> AbandonAsync(JobDefinition job) => new(await JobQueue.AbandonAsync(job, surroundings.Time, signals.Abort), VerifyCounts.None, []);
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

    private sealed record Choices(VerifyOptions Options, string? Report);
}
