using System.CommandLine;
using System.Text.Json;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Stores.Labels;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync check</c>: would these jobs run? Connects and logs in, changes nothing.</summary>
internal static class CheckCommand
{
    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("check", "Check jobs: read the file, connect, log in and show what each side can do. Changes nothing.",
            ("imapsync check jobs.yaml", "Check every job of the file."),
            ("imapsync check jobs.yaml alice --output json", "Check one job, for a program."));
        var arguments = new JobFileArguments(command);
        command.SetAction((parsed, cancellationToken) =>
            StopSignals.GuardAsync(surroundings.Time, (_, stop) => RunAsync(parsed, arguments, surroundings, stop), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, JobFileArguments arguments, HostContext surroundings, CancellationToken stop)
    {
        var isJson = arguments.IsJson(parsed);
        var jobs = (await arguments.LoadAsync(parsed, surroundings, stop)).Jobs;
        var checks = new List<JobCheckJson>();
        var statuses = new List<int>();
        foreach (var job in jobs)
        {
            var source = await EndpointCheck.RunAsync(job.Source, isTarget: false, surroundings, stop);
            var target = await EndpointCheck.RunAsync(job.Target, isTarget: true, surroundings, stop);
            if (source.Failure is null && target.Failure is null && LabelViews.Describe(job, source.HasLabels, target.HasLabels) is { } labels)
                source = source with { Facts = [.. source.Facts, labels] };
            statuses.AddRange([source.Status, target.Status]);
            var check = new JobCheckJson(job.Name, EndpointCheckJson.Of(source), EndpointCheckJson.Of(target));
            checks.Add(check);
            if (!isJson)
                Print(check, surroundings.Out);
        }

        if (isJson)
            await surroundings.Out.WriteLineAsync(JsonSerializer.Serialize(new CheckJson(checks), DocumentJson.Default.CheckJson));
        return ExitStatus.Worst(statuses);
    }

    private static void Print(JobCheckJson check, TextWriter output)
    {
        output.WriteLine(check.Name);
        foreach (var (side, endpoint) in new[] { ("source", check.Source), ("target", check.Target) })
        {
            output.WriteLine($"  {side}  {TerminalText.Escape(endpoint.Url)}  {(endpoint.Error is null ? "ok" : "FAILED")}");
            if (endpoint.Error is { } error)
                output.WriteLine($"    {TerminalText.Escape(error)}");
            foreach (var fact in endpoint.Facts)
                output.WriteLine($"    {(fact.Warning ? "! " : "  ")}{TerminalText.Escape(fact.Name)}: {TerminalText.Escape(fact.Value)}");
        }
    }
}
