namespace Imapsync.Engine.Configuration;

/// <summary>Values of command-line options, written as in a job file.</summary>
public static class OptionValues
{
    /// <returns>Null for none, and for what is no date; that is then among the errors.</returns>
    public static DateTimeOffset? Date(string option, string? text, ICollection<ConfigurationError> errors)
    {
        if (text is null)
            return null;
        if (SettingText.TryDate(text, out var date))
            return date;
        errors.Add(new ConfigurationError(new SettingOrigin(option), $"'{text}' is no date", "write it as 2020-01-31 or 2020-01-31T18:00:00Z"));
        return null;
    }

    /// <summary>In octets.</summary>
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
