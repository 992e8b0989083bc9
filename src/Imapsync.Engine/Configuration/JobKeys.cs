using System.Collections.Immutable;

namespace Imapsync.Engine.Configuration;

/// <summary>A key of a job file, as it is told to people.</summary>
/// <param name="Value">What its value looks like, a sentence.</param>
/// <param name="Keys">Those of a section, or of each entry of a list of sections; one list where several sections have the same.</param>
public sealed record JobKey(string Name, string Purpose, string Value, bool IsRequired, IReadOnlyList<JobKey> Keys);

/// <summary>All keys that a job file may have, for the manual.</summary>
public static class JobKeys
{
    public static IReadOnlyList<JobKey> Root { get; } = Of(JobSchema.Root, []);

    private static IReadOnlyList<JobKey> Of(ImmutableArray<SettingKey> keys, Dictionary<ImmutableArray<SettingKey>, IReadOnlyList<JobKey>> known)
    {
        if (keys.IsEmpty)
            return [];
        if (!known.TryGetValue(keys, out var made))
            known[keys] = made = [.. keys.Select(key => new JobKey(key.Name, key.Purpose, Value(key), key.IsRequired, Of(key.Keys, known)))];
        return made;
    }

    private static string Value(SettingKey key) => key.Shape switch
    {
        SettingShape.Choice => $"One of: {string.Join(", ", key.Choices)}.",
        SettingShape.ChoiceOrSection => $"One of: {string.Join(", ", key.Choices)}; or a section.",
        SettingShape.List => $"A list, for example {key.Example}.",
        SettingShape.Map => $"Pairs, for example {key.Example}.",
        SettingShape.Sections => "A list of sections.",
        SettingShape.NamedSections => "Sections under names of your own.",
        SettingShape.Section => "A section.",
        _ => $"For example {key.Example}.",
    };
}
