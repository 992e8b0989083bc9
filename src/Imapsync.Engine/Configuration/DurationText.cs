namespace Imapsync.Engine.Configuration;

/// <summary>Parses a duration in the syntax of job files, for command-line options.</summary>
public static class DurationText
{
    /// <summary>Parses <c>30s</c>, <c>5m</c>, <c>26h</c> or <c>2d</c>. The duration must be above zero and at most a year.</summary>
    public static bool TryParse(string text, out TimeSpan duration) => SettingText.TryDuration(text, out duration);
}
