using System.CommandLine;
using System.Text.Json;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync status</c>: shows the status of jobs according to their histories. It connects to no server and reads no password.</summary>
internal static class StatusCommand
{
    private const int NagiosOk = 0, NagiosWarning = 1, NagiosCritical = 2, NagiosUnknown = 3;

    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("status", "Say how jobs stand, from what their runs left behind. For people and for monitoring; connects to nothing.",
            ("imapsync status jobs.yaml", "When each job ran last, and how that went."),
            ("imapsync status jobs.yaml --max-age 26h", "Exit status 14 where a job had no success for so long."),
            ("imapsync status jobs.yaml --max-age 26h --output nagios", "A line and an exit status for Nagios and Icinga."));
        var output = new Option<string>("--output") { Description = "text for people; json, nagios or prometheus for programs.", DefaultValueFactory = _ => "text" };
        output.AcceptOnlyFromAmong("text", "json", "nagios", "prometheus");
        var arguments = new JobFileArguments(command, output: output);
        var maxAge = new Option<string>("--max-age") { Description = "How long a job may have had no success, for example 26h.", HelpName = "TIME" };
        maxAge.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !DurationText.TryParse(token.Value, out _))
                result.AddError("--max-age must be a number with s, m, h or d, for example 26h.");
        });
        command.Add(maxAge);
        command.SetAction((parsed, cancellationToken) => RunAsync(
            parsed, arguments, surroundings, parsed.GetValue(output)!,
            DurationText.TryParse(parsed.GetValue(maxAge) ?? "", out var age) ? age : null, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        ParseResult parsed, JobFileArguments arguments, HostContext surroundings, string output, TimeSpan? maxAge, CancellationToken cancellationToken)
    {
        JobFile file;
        try
        {
            file = arguments.ReadPlaces(parsed, surroundings, cancellationToken);
            await RowReport.TellAsync(file, surroundings);
        }
        catch (ConfigurationException e) when (output == "nagios")
        {
            await surroundings.Out.WriteLineAsync(TerminalText.Escape($"IMAPSYNC UNKNOWN - {e.Errors[0]}"));
            return NagiosUnknown;
        }

        var wanted = file.Jobs.Select(j => j.Name).ToHashSet(StringComparer.Ordinal);
        var jobs = await NamedStanding.ReadAsync(file.Places.Where(p => wanted.Contains(p.Name)), maxAge, surroundings.Time, cancellationToken);
        switch (output)
        {
            case "prometheus":
                await surroundings.Out.WriteAsync(MetricsText.Write(jobs));
                break;
            case "json":
                await surroundings.Out.WriteLineAsync(JsonSerializer.Serialize(new StatusJson([.. jobs.Select(StatusJobJson.Of)], RowReport.Lines(file)), StatusJsonContext.Default.StatusJson));
                break;
            case "nagios":
                foreach (var line in StatusText.Nagios(jobs, file.BadRows.Length, surroundings.Time.GetUtcNow()))
                    await surroundings.Out.WriteLineAsync(TerminalText.Escape(line));
                return jobs.Any(j => j.Standing.IsOld) ? NagiosCritical : !file.BadRows.IsEmpty || jobs.Any(j => !j.Standing.IsLastGood) ? NagiosWarning : NagiosOk;
            default:
                foreach (var line in StatusText.Lines(jobs, surroundings.Time))
                    await surroundings.Text.WriteLineAsync(TerminalText.Escape(line));
                break;
        }

        return jobs.Any(j => j.Standing.IsOld) ? ExitStatus.TooOld
            : !file.BadRows.IsEmpty ? ExitStatus.Usage
            : jobs.Any(j => !j.Standing.IsLastGood) ? ExitStatus.Incomplete : ExitStatus.Ok;
    }
}
