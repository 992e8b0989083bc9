using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;

namespace Imapsync.CommandLine.Commands;

/// <summary>The arguments and options that every command about jobs has.</summary>
internal sealed class JobFileArguments
{
    private readonly Argument<string> file = new("FILE") { Description = "The job file (YAML)." };
    private readonly Argument<string[]> jobs = new("JOB") { Description = "Names of the jobs; all of the file by default.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string[]> set = new("--set") { Description = "Override a setting, for example --set alice.source.connections=4. May be given several times.", HelpName = "KEY=VALUE" };
    private readonly Option<string> state = new("--state") { Description = "Keep the jobs' state below this directory, whatever the file says.", HelpName = "DIR" };
    private readonly Option<string> output = OutputOption();

    /// <param name="isOneJob">The command takes exactly one job of the file.</param>
    public JobFileArguments(Command command, bool isOneJob = false)
    {
        if (isOneJob)
        {
            jobs.Arity = ArgumentArity.OneOrMore;
            jobs.Description = "The name of the job.";
            jobs.Validators.Add(result =>
            {
                if (result.Tokens.Count > 1)
                    result.AddError("This command takes one job.");
            });
        }

        jobs.CompletionSources.Add(CompleteJobs);
        file.Validators.Add(RefuseOptions);
        jobs.Validators.Add(RefuseOptions);
        command.Add(file);
        command.Add(jobs);
        command.Add(output);
        command.Add(set);
        command.Add(state);
    }

    public static Option<string> OutputOption()
    {
        var option = new Option<string>("--output") { Description = "text for people or json for programs, on standard output.", DefaultValueFactory = _ => "text" };
        option.AcceptOnlyFromAmong("text", "json");
        return option;
    }

    public bool IsJson(ParseResult parsed) => parsed.GetValue(output) == "json";

    /// <summary>Reads the file, asks for passwords and prints the notes.</summary>
    /// <exception cref="ConfigurationException"/>
    public async Task<JobFile> LoadAsync(ParseResult parsed, HostContext surroundings, CancellationToken cancellationToken)
    {
        var read = await ReadAsync(parsed, surroundings, usesSource: true);
        await read.AskForSecretsAsync(cancellationToken);
        return read;
    }

    /// <summary>Reads the file and prints the notes.</summary>
    /// <param name="usesSource">The jobs' sources will be opened.</param>
    /// <exception cref="ConfigurationException"/>
    public async Task<JobFile> ReadAsync(ParseResult parsed, HostContext surroundings, bool usesSource)
    {
        var read = JobFileReader.Read(parsed.GetRequiredValue(file), surroundings.JobFileOptions with
        {
            Set = parsed.GetValue(set) ?? [],
            Jobs = parsed.GetValue(jobs) ?? [],
            StateRoot = parsed.GetValue(state),
            UsesSource = usesSource,
        });
        foreach (var note in read.Notes)
            await surroundings.Error.WriteLineAsync(TerminalText.Escape($"note: {note}"));
        return read;
    }

    /// <summary>The library takes a misspelt option for one more word; no file, job or address starts with a dash.</summary>
    public static void RefuseOptions(ArgumentResult result)
    {
        foreach (var token in result.Tokens.Where(t => t.Value.StartsWith('-')))
            result.AddError(UsageErrors.UnknownOption(token.Value, ((CommandResult)result.Parent!).Command));
    }

    private IEnumerable<CompletionItem> CompleteJobs(CompletionContext context)
    {
        // Not GetValue, which throws where the line is wrong as yet, as it is while it is typed.
        return context.ParseResult.GetResult(file)?.Tokens is not [var path, ..] ? [] : JobFileReader.ReadNames(path.Value).Order(StringComparer.Ordinal).Select(name => new CompletionItem(name));
    }
}
