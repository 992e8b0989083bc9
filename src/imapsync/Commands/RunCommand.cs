using System.CommandLine;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync run</c>: runs jobs and reports their results.</summary>
internal static class RunCommand
{
    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("run", "Run jobs: copy what is new, so that the target holds what the source holds.",
            ("imapsync run jobs.yaml", "Run every job of the file."),
            ("imapsync run jobs.yaml alice bob --report /var/log/imapsync.json", "Run two of its jobs and write a report for programs."),
            ("imapsync run bulk.yaml --parallel 20 --only-unfinished --report-csv done.csv", "Go on with many accounts, 20 at once, and write a table of them."),
            ("imapsync run jobs.yaml --dry-run", "Say what would be done, change nothing."),
            ("imapsync run jobs.yaml --output json | jq -c 'select(.event == \"problem\")'", "Follow the run with a program."));
        var arguments = new JobFileArguments(command);
        var running = new RunningOptions(command);
        var parallel = ParallelOption(2);
        var heal = new Option<bool>("--heal") { Description = "Read the whole backup and fetch again what was copied and is gone from it or damaged in it." };
        var choice = new JobChoice(command);
        var csv = new Option<string>("--report-csv") { Description = "Write what became of each job to this file, as CSV, also when the run fails.", HelpName = "FILE" };
        command.Add(parallel);
        command.Add(heal);
        command.Add(csv);
        var metrics = new Option<string>("--metrics-file") { Description = "Write the jobs' figures to this file for Prometheus, in place of the one that the job file names.", HelpName = "FILE" };
        command.Add(metrics);
        command.SetAction((parsed, cancellationToken) =>
        {
            var run = running.Read(parsed, arguments.IsJson(parsed), parsed.GetValue(parallel)) with
            {
                Heal = parsed.GetValue(heal),
                ReportCsvPath = parsed.GetValue(csv),
                MetricsPath = parsed.GetValue(metrics),
                NoticesOfMistakes = () => arguments.ReadNotices(parsed, surroundings),
            };
            return run.RunAsync(
                async (logged, c) =>
                {
                    var file = await arguments.LoadAsync(parsed, logged, c);
                    return file with { Jobs = [.. await choice.ChooseAsync(parsed, file.Jobs, logged, c)] };
                },
                surroundings,
                cancellationToken);
        });
        return command;
    }

    public static Option<int> ParallelOption(int usual)
    {
        var parallel = new Option<int>("--parallel") { Description = "Work on up to N jobs at once.", HelpName = "N", DefaultValueFactory = _ => usual };
        parallel.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && (!int.TryParse(result.Tokens[0].Value, out var n) || n is < 1 or > 256))
                result.AddError("--parallel must be a number from 1 to 256.");
        });
        return parallel;
    }
}
