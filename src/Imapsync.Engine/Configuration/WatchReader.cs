using Imapsync.Engine.Jobs;

namespace Imapsync.Engine.Configuration;

/// <summary>Reads a job's <c>watch:</c>.</summary>
internal sealed class WatchReader(JobReadContext reading)
{
    private static readonly TimeSpan ShortestEvery = TimeSpan.FromSeconds(10);

    public WatchSettings Read(SettingNode? section)
    {
        var settings = new WatchSettings();
        if (section is null)
            return settings;
        var every = reading.Duration(section, "every", atMostADay: true) ?? settings.Every;
        if (every < ShortestEvery)
            reading.Error(section.Origin("every"), $"'{section.Text("every")}' is too often: each look logs in to both sides", $"write {ShortestEvery.TotalSeconds:0}s or more");
        return settings with { Every = every, Folders = new FolderRulesReader(reading).Globs(section.List("folders") ?? []) };
    }
}
