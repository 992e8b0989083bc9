using System.Collections.Immutable;

namespace Imapsync.Engine.Configuration;

/// <summary>A setting of a job that can be given as an option, without a job file.</summary>
/// <param name="Path">The keys that lead to the setting, beginning at the job or at the endpoint.</param>
/// <param name="Example">An example of a valid value.</param>
/// <param name="Entry">For a map: the form of one entry, for example <c>FROM=TO</c>.</param>
/// <param name="Choices">The words that the setting accepts; empty when its values are not a fixed set of words.</param>
public sealed record JobSetting(ImmutableArray<string> Path, string Purpose, string Example, ImmutableArray<string> Choices, JobSettingShape Shape, string Entry);

public enum JobSettingShape
{
    Text,

    /// <summary>A list of texts.</summary>
    List,

    /// <summary>A list of key-value pairs.</summary>
    Map,
}

/// <summary>The job-file settings that commands offer as options. Passwords are not among them.</summary>
public static class JobSettings
{
    /// <summary>The settings of a source or target, except the URL and its alternative <c>user</c>.</summary>
    public static ImmutableArray<JobSetting> Endpoint { get; } =
    [
        .. JobSchema.Endpoint.Where(k => k.Name is not ("url" or "user") && !k.IsSecret && !k.IsForFilesOnly)
            .SelectMany(k => k.Shape == SettingShape.Section ? k.Keys.Where(i => !IsShort(i)).Select(inner => Of(inner, [k.Name])) : [Of(k, [])]),
    ];

    /// <summary>The settings of a job, except source, target and those useful only to scheduled or multiple jobs.</summary>
    public static ImmutableArray<JobSetting> Job { get; } =
    [
        .. JobSchema.Job.Where(k => k.Name is not ("source" or "target" or "snapshots" or "index" or "watch" or "notify" or "for_each"))
            .SelectMany(k => k.Shape == SettingShape.Section ? k.Keys.Select(inner => Of(inner, [k.Name])) : [Of(k, [])]),
    ];

    /// <summary>Returns whether the key can also be written directly in the endpoint, without its section.</summary>
    private static bool IsShort(SettingKey inner) => JobSchema.Endpoint.Any(k => k.Name == inner.Name);

    private static JobSetting Of(SettingKey key, ImmutableArray<string> above) => new(
        above.Add(key.Name), key.Purpose, key.Example, key.Choices,
        key.Shape switch { SettingShape.List => JobSettingShape.List, SettingShape.Map => JobSettingShape.Map, _ => JobSettingShape.Text }, key.Entry);
}
