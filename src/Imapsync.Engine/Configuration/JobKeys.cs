using System.Collections.Immutable;

namespace Imapsync.Engine.Configuration;

/// <summary>A key of a job file, described for the manual.</summary>
/// <param name="Value">A sentence that says what values the key takes.</param>
/// <param name="Keys">
/// The keys of the section, or of each section in the list; empty for a key without a section. Sections with the same keys share one list
/// instance.
/// </param>
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
