namespace Imapsync.Engine.Configuration;

/// <summary>A length of time as a job file has it, for options of commands.</summary>
public static class DurationText
{
    /// <summary><c>30s</c>, <c>5m</c>, <c>26h</c>, <c>2d</c>; more than none, at most a year.</summary>
    public static bool TryParse(string text, out TimeSpan duration) => SettingText.TryDuration(text, out duration);
}
