using System.Collections.Immutable;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Mail;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Imapsync.Fleet.Submitting;

/// <summary>
/// What a job file may do at the workers. Whoever may submit one is no administrator of the machines: unless they say so, a job runs no
/// command, reads no file and no variable, and keeps mail below directories that were named.
/// </summary>
/// <param name="trusted">Job files are written by administrators of the workers.</param>
/// <param name="directories">Absolute: where stores on a disk may lie.</param>
internal sealed class BatchRules(bool trusted, IReadOnlyList<string> directories, IReadOnlyDictionary<string, string> environment)
{
    private static readonly string[] Endings = ["command", "_file", "_env", "_certificate", "_key"];

    /// <summary>The options that job files are read with. The fleet itself decides where the state is kept.</summary>
    public JobFileOptions Options => new()
    {
        Environment = trusted ? environment : ImmutableDictionary<string, string>.Empty,
        StateRoot = Path.Combine(Path.GetTempPath(), "imapsync-fleet-state-is-elsewhere"),
    };

    /// <summary>Checks the keys alone, before anything that they name is read.</summary>
    /// <exception cref="ConfigurationException"/>
    public void CheckText(string file, string text)
    {
        if (trusted)
            return;
        var errors = new List<ConfigurationError>();
        try
        {
            var yaml = new YamlStream();
            yaml.Load(new MergingParser(new Parser(new StringReader(text))));
            foreach (var document in yaml.Documents)
                Look(document.RootNode, file, errors, depth: 0);
        }
        catch (YamlException)
        {
            // The text is not a valid job file; the job file's own reader reports the error later, without reading any file that it names.
            return;
        }

        if (errors.Count > 0)
            throw new ConfigurationException(errors);
    }

    /// <exception cref="ConfigurationException"/>
    public void CheckJobs(string name, JobFile file)
    {
        var errors = new List<ConfigurationError>();
        if (file.Jobs.Any(j => j.Row is null) || file.Jobs.IsEmpty)
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

    private static void Look(YamlNode node, string file, List<ConfigurationError> errors, int depth)
    {
        const int deepest = 64;
        if (depth > deepest)
            return;
        if (node is YamlSequenceNode list)
        {
            foreach (var item in list)
                Look(item, file, errors, depth + 1);
        }

        if (node is not YamlMappingNode mapping)
            return;
        foreach (var (key, value) in mapping.Children)
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            if (Endings.Any(e => name.EndsWith(e, StringComparison.OrdinalIgnoreCase)) && errors.Count < 20)
            {
                errors.Add(new(
                    new SettingOrigin(file, (int)key.Start.Line, (int)key.Start.Column), $"'{name}' may not stand in a list of accounts: it reaches into the workers' machines",
                    "give the value itself or a column ('password: \"{password}\"'), or start the fleet with --trust-job-files"));
            }

            Look(value, file, errors, depth + 1);
        }
    }
}
