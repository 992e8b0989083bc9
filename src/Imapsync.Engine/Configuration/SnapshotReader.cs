using System.Globalization;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration;

/// <summary>Reads a job's <c>snapshots:</c>.</summary>
internal sealed class SnapshotReader(JobReadContext reading)
{
    private const int Most = 10_000;

    public SnapshotPolicy? Read(SettingNode? section, Endpoint? target)
    {
        if (section is null or { Kind: SettingKind.Nothing })
            return null;
        var policy = new SnapshotPolicy(Count(section, "daily"), Count(section, "weekly"), Count(section, "monthly"), Count(section, "yearly"))
        {
            Directory = section.Text("directory") is { } directory ? reading.Resolve(section.Origin("directory"), directory) : null,
        };
        if (policy is { Daily: 0, Weekly: 0, Monthly: 0, Yearly: 0 })
            reading.Error(section.KeyOrigin, "'snapshots' keeps none", "say how many, for example snapshots: { daily: 7, weekly: 4, monthly: 12 }");
        if (target is not (null or MaildirEndpoint))
            reading.Error(section.KeyOrigin, "'snapshots' needs a Maildir as target: only its tree can be linked file by file while it is in use", "write to maildir:PATH, or remove 'snapshots'");
        return policy;
    }

    private int Count(SettingNode section, string key)
    {
        if (section.Text(key) is not { } text)
            return 0;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= Most)
            return count;
        reading.Error(section.Origin(key), $"'{text}' is no number of snapshots", $"write a number from 0 to {Most}");
        return 0;
    }
}
