using Imapsync.Engine.Jobs;
using Imapsync.Imap;

namespace Imapsync.Engine.Configuration;

/// <summary>Reads <c>messages:</c> of a job.</summary>
internal sealed class MessageFilterReader(JobReadContext reading)
{
    public MessageFilter Read(SettingNode? section)
    {
        if (section is null)
            return new MessageFilter();
        var headers = new HeaderRulesReader(reading);
        var filter = new MessageFilter
        {
            Since = Date(section, "since"),
            Before = Date(section, "before"),
            MinSizeBytes = Size(section, "min_size"),
            MaxSizeBytes = Size(section, "max_size"),
            WithFlags = Flags(section, "with_flags"),
            WithoutFlags = Flags(section, "without_flags"),
            Headers = headers.Read(section),
        };
        if (filter.Since >= filter.Before)
            reading.Error(section.Origin("before"), "'before' is not after 'since', so no message would fit", "swap or correct them");
        if (filter.MinSizeBytes > filter.MaxSizeBytes)
            reading.Error(section.Origin("max_size"), "'max_size' is less than 'min_size', so no message would fit", "swap or correct them");
        var both = filter.WithFlags.Names.Intersect(filter.WithoutFlags.Names, StringComparer.OrdinalIgnoreCase).FirstOrDefault();
        if (both is not null)
            reading.Error(section.Origin("without_flags"), $"'{both}' is in 'with_flags' and in 'without_flags', so no message would fit", "remove it from one of them");
        return filter;
    }

    private DateTimeOffset? Date(SettingNode section, string key)
    {
        if (section.Text(key) is not { } text)
            return null;
        if (SettingText.TryDate(text, out var date))
            return date;
        reading.Error(section.Origin(key), $"'{text}' is no date for '{key}'", "write it as 2020-01-31 or 2020-01-31T18:00:00Z");
        return null;
    }

    private long? Size(SettingNode section, string key)
    {
        if (section.Text(key) is not { } text)
            return null;
        if (SettingText.TrySize(text, out var bytes))
            return bytes;
        reading.Error(section.Origin(key), $"'{text}' is no size for '{key}'", "write a number with B, KB, MB, GB, KiB, MiB or GiB, for example 50MB");
        return null;
    }

    private FlagSet Flags(SettingNode section, string key)
    {
        var names = new List<string>();
        foreach (var (text, origin) in section.List(key) ?? [])
        {
            if (SettingText.TryFlag(text, out var flag))
                names.Add(flag);
            else
                reading.Error(origin, $"'{text}' is no flag", Remedy(text));
        }

        return FlagSet.Parse(names);
    }

    private static string Remedy(string text)
    {
        var nearest = EditDistance.Nearest(text.TrimStart('\\'), SettingText.SystemFlags);
        return (nearest is null ? "" : $"did you mean '{nearest}'? ") + "use seen, answered, flagged, deleted, draft or a keyword without blanks";
    }
}
