using System.Collections.Immutable;
using Imapsync.Engine.Configuration.Secrets;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration;

/// <summary>A valid job file.</summary>
/// <param name="Jobs">The requested jobs, in file order.</param>
/// <param name="Notes">Remarks about valid but questionable settings, such as a password file that other users can read.</param>
public sealed record JobFile(ImmutableArray<JobDefinition> Jobs, ImmutableArray<ConfigurationNote> Notes)
{
    /// <summary>
    /// The recipients who are notified when a run of the file's jobs ends, besides those in <see cref="JobDefinition.Notices"/>.
    /// </summary>
    public ImmutableArray<Notice> Notices { get; init; } = [];

    /// <summary>The absolute path of the file for Prometheus metrics; null when none is written.</summary>
    public string? MetricsFile { get; init; }

    /// <summary>All jobs of the file, requested or not, with their state directories.</summary>
    public ImmutableArray<JobPlace> Places { get; init; } = [];

    /// <summary>
    /// The invalid rows of a CSV file. Filled only with <see cref="JobFileOptions.KeepsBadRows"/>, and only if all jobs were requested,
    /// because an invalid row may not show which job it belongs to.
    /// </summary>
    public ImmutableArray<BadRow> BadRows { get; init; } = [];

    /// <summary>Prompts for all passwords that have to be typed, before anything else writes to the terminal.</summary>
    public async Task AskForSecretsAsync(CancellationToken cancellationToken)
    {
        foreach (var secret in Jobs.SelectMany(j => new[] { j.Source, j.Target }).OfType<ServerEndpoint>().Select(e => e.Password).OfType<PromptedSecret>())
            await secret.ReadAsync(cancellationToken);
    }
}

/// <summary>A job's name and its state directory.</summary>
public sealed record JobPlace(string Name, string StateDirectory);

/// <summary>An invalid row of a CSV file, from which no job can be created.</summary>
public sealed record BadRow(TableRow Row, ImmutableArray<ConfigurationError> Errors);

/// <summary>A job that was given as individual settings.</summary>
/// <param name="Text">The text of an equivalent job file.</param>
public sealed record ComposedJob(JobFile File, string Text);

/// <summary>Options for reading a job file.</summary>
public sealed record JobFileOptions
{
    /// <summary>The environment variables: overrides (<c>IMAPSYNC__…</c>), secrets, the user's state directory.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Overrides in the form <c>alice.target.url=…</c>. When a setting occurs more than once, the last one applies.</summary>
    public IReadOnlyList<string> Set { get; init; } = [];

    /// <summary>The names of the requested jobs; empty for all. Secrets and files of other jobs need not exist.</summary>
    public IReadOnlyCollection<string> Jobs { get; init; } = [];

    /// <summary>The directory under which every job keeps its state, in a subdirectory with its name; overrides the job file.</summary>
    public string? StateRoot { get; init; }

    /// <summary>Whether the jobs' sources will be opened, so that their secrets and files must exist.</summary>
    public bool UsesSource { get; init; } = true;

    /// <summary>Whether the jobs' targets will be opened, so that their secrets and files must exist.</summary>
    public bool UsesTarget { get; init; } = true;

    /// <summary>
    /// Whether a mistake in a CSV row invalidates only that row, which is then listed in <see cref="JobFile.BadRows"/>. Otherwise it
    /// invalidates the job file.
    /// </summary>
    public bool KeepsBadRows { get; init; }

    /// <summary>
    /// Opens the CSV file that <c>for_each</c> names, given its absolute path, for a caller that has the content in memory. Null: the file
    /// is read from the disk.
    /// </summary>
    public Func<string, Stream>? OpenTable { get; init; }

    /// <summary>Prompts for passwords that the file does not specify; null when no person can be asked.</summary>
    public SecretPrompt? Prompt { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Cancels the reading. It is checked while a command of <c>for_each</c> runs.</summary>
    public CancellationToken Stop { get; init; }
}
