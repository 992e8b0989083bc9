namespace Imapsync.Engine.Configuration;

/// <summary>Parses values of command-line options in the syntax of job files.</summary>
public static class OptionValues
{
    /// <returns>The date; null when no text was given, or when it is invalid, which adds an error.</returns>
    public static DateTimeOffset? Date(string option, string? text, ICollection<ConfigurationError> errors)
    {
        if (text is null)
            return null;
        if (SettingText.TryDate(text, out var date))
            return date;
        errors.Add(new ConfigurationError(new SettingOrigin(option), $"'{text}' is no date", "write it as 2020-01-31 or 2020-01-31T18:00:00Z"));
        return null;
    }

    /// <summary>Parses a size in octets. Returns null when no text was given, or when it is invalid, which adds an error.</summary>
    public static long? Size(string option, string? text, ICollection<ConfigurationError> errors)
    {
        if (text is null)
            return null;
        if (SettingText.TrySize(text, out var bytes))
            return bytes;
        errors.Add(new ConfigurationError(new SettingOrigin(option), $"'{text}' is no size", "write it as 500KB or 5MB"));
        return null;
    }
}
