using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Snapshots;
using Imapsync.Engine.Stores;

namespace Imapsync.Engine.Configuration;

/// <summary>A restore request as given on the command line.</summary>
public sealed record RestoreRequest
{
    /// <summary>Globs for the folders to restore; empty for all.</summary>
    public IReadOnlyList<string> Folders { get; init; } = [];

    public string? Since { get; init; }

    public string? Before { get; init; }

    public IReadOnlyList<string> MessageIds { get; init; } = [];

    /// <summary>The messages of the backup to restore, in the form of <see cref="MessageAddress"/>; empty for all.</summary>
    public IReadOnlyList<string> Ids { get; init; } = [];

    /// <summary>The settings of the endpoint to restore to; empty to restore to the backup's source.</summary>
    public IReadOnlyList<GivenSetting> To { get; init; } = [];
}

/// <summary>Creates the job that restores a backup.</summary>
public static class RestoreReader
{
    /// <param name="backup">The job that made the backup.</param>
    /// <exception cref="ConfigurationException"/>
    public static JobDefinition Read(JobDefinition backup, RestoreRequest request, string directory, JobFileOptions options)
    {
        var errors = new List<ConfigurationError>();
        foreach (var glob in request.Folders.Where(g => !FolderPath.TryParse(g, out _)))
            errors.Add(new ConfigurationError(new SettingOrigin("--folder"), $"'{glob}' fits no folder: a level is empty", "split levels by single slashes, none in front or at the end"));
        var filter = new MessageFilter
        {
            Since = OptionValues.Date("--since", request.Since, errors),
            Before = OptionValues.Date("--before", request.Before, errors),
            MessageIds = [.. request.MessageIds.Select(MessageId.Normalize)],
        };
        if (filter.Since >= filter.Before)
            errors.Add(new ConfigurationError(new SettingOrigin("--before"), "it is not after --since, so no message would fit", "swap or correct them"));
        if (filter.MessageIds.Contains(""))
            errors.Add(new ConfigurationError(new SettingOrigin("--message-id"), "this is no Message-ID", "write it as it stands in the message, with or without < and >"));
        var chosen = Chosen(request.Ids, errors);
        Endpoint? to = null;
        try
        {
            to = request.To.Count == 0 ? null : JobFileReader.ReadEndpoint(directory, request.To, options);
        }
        catch (ConfigurationException e)
        {
            errors.AddRange(e.Errors);
        }

        if (to is not null && JobValidator.Overlap(to, backup.Target))
            errors.Add(new ConfigurationError(new SettingOrigin("--to"), $"it overlaps with the backup, {backup.Target.Display}", "give a directory of its own"));
        else if (to?.Place is { } place && JobValidator.Overlap(place, backup.StateDirectory))
            errors.Add(new ConfigurationError(new SettingOrigin("--to"), $"it overlaps with the job's state, {backup.StateDirectory}", "give a directory of its own"));
        else if (to?.Place is { } directoryOfMail && SnapshotDirectory.Of(backup) is { } snapshots && JobValidator.Overlap(directoryOfMail, snapshots.Path))
            errors.Add(new ConfigurationError(new SettingOrigin("--to"), $"it overlaps with the job's snapshots, {snapshots.Path}", "give a directory of its own"));
        if (to is null && StoreRegistry.KindOf(backup.Source).IsSourceOnly)
            errors.Add(new ConfigurationError(new SettingOrigin("--to"), $"the backup came from {backup.Source.Display}, which mail can't be written to", "say with --to where to put it"));
        return errors.Count > 0
            ? throw new ConfigurationException(errors)
            : new RestoreOrigin(backup, [.. request.Folders]) { Chosen = [.. chosen] }.ToJob(to, filter);
    }

    private static List<MessageAddress> Chosen(IReadOnlyList<string> ids, List<ConfigurationError> errors)
    {
        var chosen = new List<MessageAddress>();
        foreach (var id in ids)
        {
            if (!MessageAddress.TryParse(id, out var address))
                errors.Add(new ConfigurationError(new SettingOrigin("--id"), $"'{id}' names no message", "write it as imapsync find prints it: FOLDER:NUMBER.NUMBER"));
            else if (address.Uid.Value >= MessageAddress.FirstRemembered)
                errors.Add(new ConfigurationError(new SettingOrigin("--id"), $"'{id}' is a message that another program put into the backup, and has no lasting number there", "name it by --message-id"));
            else
                chosen.Add(address);
        }

        return chosen;
    }
}
