using System.Collections.Immutable;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Mail;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Imapsync.Fleet.Submitting;

/// <summary>
/// Checks what a job file may do on the workers, because a user who submits lists need not be an administrator of the machines. Unless job
/// files are trusted, a job can (1) run no command, (2) read no file or environment variable, (3) store mail only below the permitted
/// directories.
/// </summary>
/// <param name="trusted">Whether job files are written by administrators of the workers.</param>
/// <param name="directories">The absolute paths of the directories below which stores may be kept.</param>
internal sealed class BatchRules(bool trusted, IReadOnlyList<string> directories, IReadOnlyDictionary<string, string> environment)
{
    private static readonly string[] Endings = ["command", "_file", "_env", "_certificate", "_key"];

    /// <summary>
    /// The options for reading job files. The state's root is a path that is never used, because the state is kept in the database.
    /// </summary>
    public JobFileOptions Options => new()
    {
        Environment = trusted ? environment : ImmutableDictionary<string, string>.Empty,
        StateRoot = Path.Combine(Path.GetTempPath(), "imapsync-fleet-state-is-elsewhere"),
    };

    /// <summary>Checks only the keys, before any file that they name is read.</summary>
    /// <exception cref="ConfigurationException">A key is not allowed, or the text is not valid YAML.</exception>
    public void CheckText(string file, string text)
    {
        if (trusted)
            return;
        var errors = new List<ConfigurationError>();
        try
        {
            Look(new Parser(new StringReader(text)), file, errors);
        }
        catch (YamlException e)
        {
            // A text of which only the beginning could be checked is refused. Another YAML parser might read on and use unchecked keys.
            throw new ConfigurationException([new(OriginOf(file, e.Start), "this is not valid YAML from here on", "correct it and try again")]);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or FormatException or OverflowException
            or IndexOutOfRangeException or NullReferenceException or KeyNotFoundException)
        {
            // YamlDotNet's scanner throws these exceptions for some malformed texts, without a position.
            throw new ConfigurationException([new(new SettingOrigin(file), "this is not valid YAML", "correct it and try again")]);
        }

        if (errors.Count > 0)
            throw new ConfigurationException(errors);
    }

    /// <exception cref="ConfigurationException">
    /// A job does not come from a row of the CSV file, has a setting that a list can't have, or stores mail outside
    /// the permitted directories.
    /// </exception>
    public void CheckJobs(string name, JobFile file)
    {
        var errors = new List<ConfigurationError>();
        if (file.Jobs.Any(j => j.Row is null) || (file.Jobs.IsEmpty && file.BadRows.IsEmpty))
            errors.Add(new(new SettingOrigin(name), "every job of a list of accounts is made of a row of its CSV file", "give the one job of the file 'for_each: accounts.csv', and a row for each account"));
        if (!file.Notices.IsEmpty || file.Jobs.Any(j => !j.Notices.IsEmpty) || file.MetricsFile is not null)
            errors.Add(new(new SettingOrigin(name), "'notify' and 'metrics_file' have no effect in a list of accounts", "leave them out"));
        if (file.Jobs.Any(j => j.Snapshots is not null))
            errors.Add(new(new SettingOrigin(name), "'snapshots' is not possible in a list of accounts", "leave it out"));
        foreach (var place in file.Jobs.SelectMany(j => new[] { j.Source.Place, j.Target.Place }).OfType<string>().Where(p => !MayHold(p)).Distinct().Take(20))
            errors.Add(new(new SettingOrigin(name), $"mail may not lie in {place}", "the workers allow it below the directories that --allow-directory names"));
        if (errors.Count > 0)
            throw new ConfigurationException(errors);
    }

    private bool MayHold(string place) => trusted || directories.Any(d => (place + "/").StartsWith(d.TrimEnd('/') + "/", StringComparison.Ordinal));

    /// <summary>
    /// Checks every key of the text, at any depth. It uses the same parser as the job file's reader, so both see the same keys. Merge keys
    /// and aliases are not resolved.
    /// </summary>
    private static void Look(Parser parser, string file, List<ConfigurationError> errors)
    {
        // For each mapping or sequence that is open: whether it is a mapping, and whether its next node is a key.
        var open = new Stack<(bool IsMapping, bool IsKeyNext)>();
        while (parser.MoveNext())
        {
            var node = parser.Current!;
            if (node is MappingEnd or SequenceEnd)
                open.Pop();
            if (node is not (Scalar or MappingStart or SequenceStart or AnchorAlias))
                continue;
            if (open.TryPop(out var outer))
            {
                if (outer.IsKeyNext && node is Scalar key && errors.Count < 20)
                    CheckKey(key, file, errors);
                open.Push((outer.IsMapping, outer.IsMapping && !outer.IsKeyNext));
            }

            if (node is MappingStart or SequenceStart)
                open.Push((node is MappingStart, node is MappingStart));
        }
    }

    private static void CheckKey(Scalar key, string file, List<ConfigurationError> errors)
    {
        if (!Endings.Any(e => key.Value.EndsWith(e, StringComparison.OrdinalIgnoreCase)))
            return;
        errors.Add(new(
            OriginOf(file, key.Start), $"'{key.Value}' may not stand in a list of accounts: it reaches into the workers' machines",
            "give the value itself or a column ('password: \"{password}\"'), or start the fleet with --trust-job-files"));
    }

    private static SettingOrigin OriginOf(string file, Mark mark) => new(file, (int)Math.Clamp(mark.Line, 1, int.MaxValue), (int)Math.Clamp(mark.Column, 1, int.MaxValue));
}
