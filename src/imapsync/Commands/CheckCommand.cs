using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.History;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
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
        var log = new LogOptions(command);
        command.SetAction((parsed, cancellationToken) => log.Read(parsed).RunAsync(surroundings, logged =>
            StopSignals.GuardAsync(logged.Time, (_, stop) => RunAsync(parsed, arguments, logged, stop), cancellationToken)));
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
            var history = new HistoryKeeping(surroundings, job, HistoryKind.Check, isKept: true, text => surroundings.Error.WriteLine(TerminalText.Escape(text)));
            await history.BeginAsync();
            var source = await EndpointCheck.RunAsync(job.Source, isTarget: false, surroundings, stop);
            var target = await EndpointCheck.RunAsync(job.Target, isTarget: true, surroundings, stop);
            if (source.Failure is null && target.Failure is null && LabelViews.Describe(job, source.HasLabels, target.HasLabels) is { } labels)
                source = source with { Facts = [.. source.Facts, labels] };
            statuses.AddRange([source.Status, target.Status]);
            var check = new JobCheckJson(job.Name, EndpointCheckJson.Of(source), EndpointCheckJson.Of(target));
            checks.Add(check);
            await history.EndAsync(begun => begun.End(Report(job.Name, begun.Began, surroundings.Time.GetUtcNow(), source, target), ExitStatus.Worst([source.Status, target.Status])));
            foreach (var (side, endpoint) in new[] { ("source", source), ("target", target) })
                surroundings.Log?.Say($"{job.Name}: {side} {endpoint.Endpoint.Display}: {endpoint.Failure?.Message ?? "ok"}");
            if (!isJson)
                Print(check, surroundings.Out);
        }

        if (isJson)
            await surroundings.Out.WriteLineAsync(JsonSerializer.Serialize(new CheckJson(checks), DocumentJson.Default.CheckJson));
        return ExitStatus.Worst(statuses);
    }

    private static JobReport Report(string job, DateTimeOffset began, DateTimeOffset ended, params EndpointCheck[] checks)
    {
        ImmutableArray<Problem> problems = [.. checks.Select(c => c.Failure).OfType<MailException>().Select(f => new Problem(FailureScope.Store, null, null, Reason(f), f.Message))];
        return new JobReport(job, problems.IsEmpty ? JobOutcome.Ok : JobOutcome.Failed, began, ended, new FolderCounts(), [], problems, []);
    }

    private static string Reason(MailException failure) => failure.Kind switch
    {
        FailureKind.Connect => Reasons.Connect,
        FailureKind.Authentication => Reasons.Authentication,
        FailureKind.Configuration => Reasons.Configuration,
        _ => Reasons.Failed,
    };

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
