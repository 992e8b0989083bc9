using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;

namespace Imapsync.CommandLine.Commands;

/// <summary>The arguments and options that all job commands share.</summary>
internal sealed class JobFileArguments
{
    private readonly Argument<string> file = new("FILE") { Description = "The job file (YAML)." };
    private readonly Argument<string[]> jobs = new("JOB") { Description = "Names of the jobs; all of the file by default.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string[]> set = new("--set") { Description = "Override a setting, for example --set alice.source.connections=4. May be given several times.", HelpName = "KEY=VALUE" };
    private readonly Option<string> state = new("--state") { Description = "Keep the jobs' state below this directory, whatever the file says.", HelpName = "DIR" };
    private readonly Option<string> output;

    /// <param name="isOneJob">Whether the command accepts exactly one job.</param>
    /// <param name="next">The argument after the one job; null for none.</param>
    /// <param name="output">Replaces the <c>--output</c> option that most commands have.</param>
    public JobFileArguments(Command command, bool isOneJob = false, Argument? next = null, Option<string>? output = null, bool hasOutput = true)
    {
        this.output = output ?? OutputOption();
        if (next is not null || isOneJob)
        {
            jobs.Arity = ArgumentArity.ExactlyOne;
            // The library creates a list only for arguments that accept several words, so this argument needs a parser.
            jobs.CustomParser = result => [.. result.Tokens.Select(t => t.Value)];
            jobs.Description = "The name of the job.";
        }

        jobs.CompletionSources.Add(CompleteJobs);
        file.Validators.Add(RefuseOptions);
        jobs.Validators.Add(RefuseOptions);
        command.Add(file);
        command.Add(jobs);
        if (next is not null)
            command.Add(next);
        else if (hasOutput)
            command.Add(this.output);
        command.Add(set);
        command.Add(state);
    }

    public static Option<string> OutputOption()
    {
        var option = new Option<string>("--output") { Description = "text for people or json for programs, on standard output.", DefaultValueFactory = _ => "text" };
        option.AcceptOnlyFromAmong("text", "json");
        return option;
    }

    /// <summary>Returns the path of the job file, as it was given on the command line.</summary>
    public string PathOf(ParseResult parsed) => parsed.GetValue(file) ?? "";

    public bool IsJson(ParseResult parsed) => parsed.GetValue(output) == "json";

    /// <summary>
    /// Reads the job file and asks for passwords. Prints notes, and an error for each CSV row from which no job could be created.
    /// </summary>
    /// <param name="needsJobs">Whether a file with bad rows only is an error.</param>
    /// <exception cref="ConfigurationException"/>
    public async Task<JobFile> LoadAsync(ParseResult parsed, HostContext surroundings, CancellationToken cancellationToken, bool needsJobs = true)
    {
        var read = await ReadAsync(parsed, surroundings, usesSource: true, cancellationToken, needsJobs);
        await read.AskForSecretsAsync(cancellationToken);
        return read;
    }

    /// <summary>Reads the job file. Prints notes, and an error for each CSV row from which no job could be created.</summary>
    /// <param name="usesSource">Whether the jobs' sources will be opened.</param>
    /// <param name="needsJobs">Whether a file with bad rows only is an error.</param>
    /// <exception cref="ConfigurationException"/>
    public async Task<JobFile> ReadAsync(ParseResult parsed, HostContext surroundings, bool usesSource, CancellationToken stop, bool needsJobs = true)
    {
        var read = JobFileReader.Read(parsed.GetRequiredValue(file), Options(parsed, surroundings) with { UsesSource = usesSource, Stop = stop });
        foreach (var note in read.Notes)
            await surroundings.Aside.WriteLineAsync(TerminalText.Escape($"note: {note}"));
        if (needsJobs)
            RequireJobs(read);
        await RowReport.TellAsync(read, surroundings);
        return read;
    }

    /// <summary>Reads the job file. Secrets and files of an unused endpoint need not exist.</summary>
    /// <exception cref="ConfigurationException"/>
    public JobFile Read(ParseResult parsed, HostContext surroundings, bool usesSource, bool usesTarget, CancellationToken stop) =>
        JobFileReader.Read(parsed.GetRequiredValue(file), Options(parsed, surroundings) with { UsesSource = usesSource, UsesTarget = usesTarget, Stop = stop });

    /// <summary>Reads the job file for a command that opens no store. Passwords need not exist, and no notes are printed.</summary>
    /// <exception cref="ConfigurationException"/>
    public JobFile ReadPlaces(ParseResult parsed, HostContext surroundings, CancellationToken stop)
    {
        var read = Read(parsed, surroundings, usesSource: false, usesTarget: false, stop);
        RequireJobs(read);
        return read;
    }

    /// <summary>Returns the recipients to notify when the job file is invalid.</summary>
    public IReadOnlyList<Notice> ReadNotices(ParseResult parsed, HostContext surroundings) =>
        JobFileReader.ReadNotices(parsed.GetRequiredValue(file), Options(parsed, surroundings));

    private static void RequireJobs(JobFile read)
    {
        if (read.Jobs.IsEmpty && !read.BadRows.IsEmpty)
            throw new ConfigurationException([.. read.BadRows.SelectMany(r => r.Errors)]);
    }

    private JobFileOptions Options(ParseResult parsed, HostContext surroundings) => surroundings.JobFileOptions with
    {
        Set = parsed.GetValue(set) ?? [],
        Jobs = parsed.GetValue(jobs) ?? [],
        StateRoot = parsed.GetValue(state),
    };

    /// <summary>
    /// Rejects arguments that start with a dash. They are misspelt options, because no file, job or address starts with a dash.
    /// </summary>
    public static void RefuseOptions(ArgumentResult result)
    {
        foreach (var token in result.Tokens.Where(t => t.Value.StartsWith('-')))
            result.AddError(UsageErrors.UnknownOption(token.Value, ((CommandResult)result.Parent!).Command));
    }

    private IEnumerable<CompletionItem> CompleteJobs(CompletionContext context)
    {
        // GetValue is avoided, since it throws on an invalid command line, and the line is incomplete while it is being typed.
        return context.ParseResult.GetResult(file)?.Tokens is not [var path, ..] ? [] : JobFileReader.ReadNames(path.Value).Order(StringComparer.Ordinal).Select(name => new CompletionItem(name));
    }
}
