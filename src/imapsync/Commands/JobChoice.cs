using System.CommandLine;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;

namespace Imapsync.CommandLine.Commands;

/// <summary>The options that select jobs by the outcome of their last run.</summary>
internal sealed class JobChoice
{
    private readonly Option<bool> failed = new("--only-failed") { Description = "Run only jobs whose last run failed, or left something that is not in place." };
    private readonly Option<bool> unfinished = new("--only-unfinished") { Description = "Run only jobs whose last run did not end with all in place, or that never ran." };

    public JobChoice(Command command)
    {
        command.Add(failed);
        command.Add(unfinished);
    }

    /// <summary>Returns the selected jobs in their order. A job whose history can't be read is selected.</summary>
    public async Task<IReadOnlyList<JobDefinition>> ChooseAsync(
        ParseResult parsed, IReadOnlyList<JobDefinition> jobs, HostContext surroundings, CancellationToken cancellationToken)
    {
        var onlyFailed = parsed.GetValue(failed);
        if (!onlyFailed && !parsed.GetValue(unfinished))
            return jobs;
        var standings = await NamedStanding.ReadAsync(jobs.Select(j => new JobPlace(j.Name, j.StateDirectory)), maxAge: null, surroundings.Time, cancellationToken);
        List<JobDefinition> chosen = [.. jobs.Zip(standings).Where(j => j.Second.Trouble is not null || (onlyFailed ? j.Second.Standing.IsLastFailed : j.Second.Standing.IsUnfinished)).Select(j => j.First)];
        foreach (var unknown in standings.Where(s => s.Trouble is not null))
            await surroundings.Error.WriteLineAsync(TerminalText.Escape($"{unknown.Name}: is run, since its history can't be read: {unknown.Trouble}"));
        await surroundings.Aside.WriteLineAsync(chosen.Count == 0 ? WhyNone(onlyFailed, standings) : $"{chosen.Count} of {jobs.Count} jobs {(onlyFailed ? "failed in their last run" : "are unfinished")}");
        return chosen;
    }

    private static string WhyNone(bool onlyFailed, IReadOnlyList<NamedStanding> standings)
    {
        if (!onlyFailed)
            return "Nothing to run: every job's last run ended with everything in place.";
        // Mention jobs that never ran or did not end, because they may still have mail to copy.
        var others = standings.Count(s => s.Standing.IsUnfinished);
        return "Nothing to run: no job's last run failed." + (others > 0 ? $" Jobs that never ran, or whose last run did not end: {others}; --only-unfinished runs them." : "");
    }
}
