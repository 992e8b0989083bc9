using System.CommandLine;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync run</c>: runs jobs and tells what became of them.</summary>
internal static class RunCommand
{
    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("run", "Run jobs: copy what is new, so that the target holds what the source holds.",
            ("imapsync run jobs.yaml", "Run every job of the file."),
            ("imapsync run jobs.yaml alice bob --report /var/log/imapsync.json", "Run two of its jobs and write a report for programs."),
            ("imapsync run jobs.yaml --dry-run", "Say what would be done, change nothing."),
            ("imapsync run jobs.yaml --output json | jq -c 'select(.event == \"problem\")'", "Follow the run with a program."));
        var arguments = new JobFileArguments(command);
        var running = new RunningOptions(command);
        var parallel = new Option<int>("--parallel") { Description = "Run up to N jobs at once.", HelpName = "N", DefaultValueFactory = _ => 2 };
        parallel.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && (!int.TryParse(result.Tokens[0].Value, out var n) || n is < 1 or > 256))
                result.AddError("--parallel must be a number from 1 to 256.");
        });
        var heal = new Option<bool>("--heal") { Description = "Read the whole backup and fetch again what was copied and is gone from it or damaged in it." };
        command.Add(parallel);
        var metrics = new Option<string>("--metrics-file") { Description = "Write the jobs' figures to this file for Prometheus, in place of the one that the job file names.", HelpName = "FILE" };
        command.Add(heal);
        command.Add(metrics);
        command.SetAction((parsed, cancellationToken) =>
        {
            var run = running.Read(parsed, arguments.IsJson(parsed), parsed.GetValue(parallel)) with
            {
                Heal = parsed.GetValue(heal),
                MetricsPath = parsed.GetValue(metrics),
                NoticesOfMistakes = () => arguments.ReadNotices(parsed, surroundings),
            };
            return run.RunAsync((logged, c) => arguments.LoadAsync(parsed, logged, c), surroundings, cancellationToken);
        });
        return command;
    }
}
