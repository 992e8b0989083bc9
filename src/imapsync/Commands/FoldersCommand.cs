using System.CommandLine;
using System.Text.Json;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Checking;
using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Labels;

namespace Imapsync.CommandLine.Commands;

/// <summary>
/// <c>imapsync folders</c>: shows which source folder is copied to which target folder, with the number of messages. It changes nothing.
/// </summary>
internal static class FoldersCommand
{
    /// <summary>Shown in place of a number that the source or the target does not report.</summary>
    private const string Unknown = "?";

    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("folders", "Show which source folder goes to which target folder, with counts. Changes nothing.",
            ("imapsync folders jobs.yaml", "Show the mapping of every job."),
            ("imapsync folders jobs.yaml alice --sizes", "Also add up the octets of each folder, which lists every message."));
        var arguments = new JobFileArguments(command);
        var sizes = new Option<bool>("--sizes") { Description = "Also add up the sizes of the source's messages (slower: lists all of them)." };
        command.Add(sizes);
        command.SetAction((parsed, cancellationToken) =>
            StopSignals.GuardAsync(surroundings.Time, (_, stop) => RunAsync(parsed, arguments, parsed.GetValue(sizes), surroundings, stop), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        ParseResult parsed, JobFileArguments arguments, bool withSizes, HostContext surroundings, CancellationToken stop)
    {
        var isJson = arguments.IsJson(parsed);
        var file = await arguments.LoadAsync(parsed, surroundings, stop);
        var mappings = new List<JobMappingJson>();
        var status = ExitStatus.Of(file.BadRows);
        foreach (var job in file.Jobs)
        {
            try
            {
                mappings.Add(await MapAsync(job, withSizes, surroundings, stop));
            }
            catch (MailException e)
            {
                mappings.Add(new JobMappingJson(job.Name, e.Message, [], []));
                await surroundings.Error.WriteLineAsync(TerminalText.Escape($"{job.Name}: {e.Message}"));
                status = ExitStatus.Worst([status, ExitStatus.Of(e)]);
            }

            if (!isJson)
                Print(mappings[^1], withSizes, surroundings.Text);
        }

        if (isJson)
            await surroundings.Out.WriteLineAsync(JsonSerializer.Serialize(new MappingJson(mappings, RowReport.Lines(file)), DocumentJson.Default.MappingJson));
        return status;
    }

    private static async Task<JobMappingJson> MapAsync(JobDefinition job, bool withSizes, HostContext surroundings, CancellationToken cancellationToken)
    {
        var context = new StoreContext(surroundings.Time, Note) { OnUnread = (_, _, text) => Note(text) };
        void Note(string text) => surroundings.Error.WriteLine(TerminalText.Escape($"{job.Name}: note: {text}"));
        await using var source = LabelViews.OfSource(job, await surroundings.OpenStore.OpenAsync(job.Source, context, cancellationToken));
        await using var target = LocalTarget.DirectoryToFill(job.Target) is null
            ? await surroundings.OpenStore.OpenTargetAsync(job.Target, forWriting: false, context, cancellationToken)
            : null;
        var there = target is null ? [] : await target.ListFoldersAsync(cancellationToken);
        var mapping = FolderMapper.Map(await source.ListFoldersAsync(cancellationToken), job.Folders, there);
        if (target is not null)
            mapping = FolderMapper.Locate(mapping, target, there, source: source);
        var present = there.Where(f => f.HoldsMessages).ToDictionary(f => f.Path);
        var pairs = new List<PairJson>();
        foreach (var (entry, path) in mapping.Pairs)
        {
            var messages = await FolderSize.CountAsync(source, entry, cancellationToken);
            var known = target is null ? null : present.GetValueOrDefault(path);
            var atTarget = known is null ? null : await FolderSize.CountAsync(target!, known, cancellationToken);
            (long Octets, long Unsized)? size = withSizes ? await FolderSize.OctetsAsync(source, entry, cancellationToken) : null;
            pairs.Add(new PairJson(entry.Path.ToString(), path.ToString(), messages, known is not null, atTarget, size?.Octets, size?.Unsized));
        }

        return new JobMappingJson(job.Name, null, pairs, [.. mapping.Excluded.Select(p => p.ToString())]);
    }

    private static void Print(JobMappingJson mapping, bool withSizes, TextWriter output)
    {
        output.WriteLine(mapping.Name);
        List<string[]> rows = [["SOURCE", "TARGET", "MESSAGES", "AT TARGET", .. withSizes ? ["SIZE"] : Array.Empty<string>()]];
        foreach (var pair in mapping.Folders)
        {
            string[] size = pair is { SourceBytes: { } bytes, SourceUnsized: var unsized } ? [Quantities.Octets(bytes) + (unsized > 0 ? $" and {Quantities.Count(unsized.Value, "message")} of {Unknown}" : "")] : [];
            rows.Add([TerminalText.Escape(pair.Source), TerminalText.Escape(pair.Target), Count(pair.SourceMessages), pair.TargetExists ? Count(pair.TargetMessages) : "-", .. size]);
        }

        if (mapping.Error is null)
            TextTable.Print(rows, leftColumns: 2, output);
        foreach (var folder in mapping.Excluded)
            output.WriteLine($"  {TerminalText.Escape(folder)} is left out");
    }

    private static string Count(long? messages) => messages is { } counted ? Quantities.Count(counted) : Unknown;
}
