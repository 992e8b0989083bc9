using System.Globalization;
using Imapsync.Engine.Jobs;

namespace Imapsync.Engine.Configuration;

/// <summary>Reads a job's time settings: <c>retry:</c> and <c>max_duration</c>.</summary>
internal sealed class RetryReader(JobReadContext reading)
{
    private const int MostAttempts = 1000;

    public RetrySettings Retry(SettingNode? section)
    {
        var settings = new RetrySettings();
        if (section is null)
            return settings;
        return settings with
        {
            Attempts = Attempts(section) ?? settings.Attempts,
            MaxDelay = reading.Duration(section, "max_delay") ?? settings.MaxDelay,
            GiveUpAfter = reading.Duration(section, "give_up_after") ?? settings.GiveUpAfter,
        };
    }

    public TimeSpan? MaxDuration(SettingNode job) => reading.Duration(job, "max_duration");

    private int? Attempts(SettingNode section)
    {
        if (section.Text("attempts") is not { } text)
            return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var attempts) && attempts is >= 1 and <= MostAttempts)
            return attempts;
        reading.Error(section.Origin("attempts"), $"'{text}' is no number of tries", $"write a number from 1 (no second try) to {MostAttempts}");
        return null;
    }
}
