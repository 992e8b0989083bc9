using System.CommandLine;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.State;

namespace Imapsync.CommandLine.Commands;

/// <summary>The options that choose jobs by how their last run ended.</summary>
internal sealed class JobChoice
{
    private readonly Option<bool> failed = new("--only-failed") { Description = "Run only jobs whose last run failed, or left something that is not in place." };
    private readonly Option<bool> unfinished = new("--only-unfinished") { Description = "Run only jobs whose last run did not end with all in place, or that never ran." };

    public JobChoice(Command command)
    {
        command.Add(failed);
        command.Add(unfinished);
    }

    /// <summary>Those that are wanted, in their order.</summary>
    public async Task<IReadOnlyList<JobDefinition>> ChooseAsync(ParseResult parsed, IReadOnlyList<JobDefinition> jobs, TextWriter error)
    {
        if (!parsed.GetValue(failed) && !parsed.GetValue(unfinished))
            return jobs;
        List<JobDefinition> chosen = [.. jobs.Where(j => LastOutcome.Read(j.StateDirectory) is var word && (parsed.GetValue(failed) ? word is "failed" or "incomplete" : word != "ok"))];
        await error.WriteLineAsync($"{chosen.Count} of {jobs.Count} jobs {(parsed.GetValue(failed) ? "failed in their last run" : "are unfinished")}");
        return chosen;
    }
}
