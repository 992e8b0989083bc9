using System.Collections.Immutable;
using Imapsync.Engine.Configuration.Secrets;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration;

/// <summary>A job file that was read and found good.</summary>
/// <param name="Jobs">The jobs that were asked for, in the order of the file.</param>
/// <param name="Notes">What works but should be known: a password file that others can read.</param>
public sealed record JobFile(ImmutableArray<JobDefinition> Jobs, ImmutableArray<ConfigurationNote> Notes)
{
    /// <summary>Who is told how a run of the file's jobs ended, besides <see cref="JobDefinition.Notices"/>.</summary>
    public ImmutableArray<Notice> Notices { get; init; } = [];

    /// <summary>Where the figures for Prometheus go, absolute; null for nowhere.</summary>
    public string? MetricsFile { get; init; }

    /// <summary>Every job of the file, whatever was asked for, and where its state is.</summary>
    public ImmutableArray<JobPlace> Places { get; init; } = [];

    /// <summary>Rows that make no job; only where <see cref="JobFileOptions.KeepsBadRows"/>.</summary>
    public ImmutableArray<BadRow> BadRows { get; init; } = [];

    /// <summary>Asks for every password that has to be asked for, before anything else writes to the terminal.</summary>
    public async Task AskForSecretsAsync(CancellationToken cancellationToken)
    {
        foreach (var secret in Jobs.SelectMany(j => new[] { j.Source, j.Target }).OfType<ServerEndpoint>().Select(e => e.Password).OfType<PromptedSecret>())
            await secret.ReadAsync(cancellationToken);
    }
}

/// <summary>A job's name, and the directory of its state.</summary>
public sealed record JobPlace(string Name, string StateDirectory);

/// <summary>A row of a CSV file that makes no job.</summary>
public sealed record BadRow(TableRow Row, ImmutableArray<ConfigurationError> Errors);

/// <summary>A job that was given setting by setting.</summary>
/// <param name="Text">A job file that says the same.</param>
public sealed record ComposedJob(JobFile File, string Text);

/// <summary>What a job file is read with.</summary>
public sealed record JobFileOptions
{
    /// <summary>The environment: overrides (<c>IMAPSYNC__…</c>), secrets, the user's state folder.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Overrides as <c>alice.target.url=…</c>, the last one of a setting counts.</summary>
    public IReadOnlyList<string> Set { get; init; } = [];

    /// <summary>Names of the jobs wanted; empty for all. Secrets and files of other jobs need not be there.</summary>
    public IReadOnlyCollection<string> Jobs { get; init; } = [];

    /// <summary>Where jobs keep their state, each in a folder with its name, whatever the file says.</summary>
    public string? StateRoot { get; init; }

    /// <summary>The jobs' sources will be opened: their secrets and files have to be there.</summary>
    public bool UsesSource { get; init; } = true;

    /// <summary>The jobs' targets will be opened.</summary>
    public bool UsesTarget { get; init; } = true;

    /// <summary>Mistakes in rows of a CSV file cost these rows, and are told by <see cref="JobFile.BadRows"/>; else they cost all.</summary>
    public bool KeepsBadRows { get; init; }

    /// <summary>Gives the CSV file that <c>for_each</c> names, by its absolute path, where it is not on the disk; null: it is.</summary>
    public Func<string, Stream>? OpenTable { get; init; }

    /// <summary>Asks for passwords that the file says nothing of; null where nobody can be asked.</summary>
    public SecretPrompt? Prompt { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
