using System.Collections.Immutable;

namespace Imapsync.Engine.Configuration;

/// <summary>A setting of a job that can be given by itself, without a job file.</summary>
/// <param name="Path">The keys that lead to it, from the job or the endpoint.</param>
/// <param name="Example">What a good value looks like.</param>
/// <param name="Entry">What one of a map is.</param>
/// <param name="Choices">The values there are; empty where they are countless.</param>
public sealed record JobSetting(ImmutableArray<string> Path, string Purpose, string Example, ImmutableArray<string> Choices, JobSettingShape Shape, string Entry);

public enum JobSettingShape
{
    Text,

    /// <summary>Several texts.</summary>
    List,

    /// <summary>Several pairs of texts.</summary>
    Map,
}

/// <summary>The settings that a job file may have, for commands that take them as options. Passwords themselves are not among them.</summary>
public static class JobSettings
{
    /// <summary>Of a source or target, but for its URL and the user that may stand for it.</summary>
    public static ImmutableArray<JobSetting> Endpoint { get; } =
    [
        .. JobSchema.Endpoint.Where(k => k.Name is not ("url" or "user") && !k.IsSecret && !k.IsForFilesOnly)
            .SelectMany(k => k.Shape == SettingShape.Section ? k.Keys.Where(i => !IsShort(i)).Select(inner => Of(inner, [k.Name])) : [Of(k, [])]),
    ];

    /// <summary>Of a job, but for its source and target, and for what only a job that runs night by night has a use for.</summary>
    public static ImmutableArray<JobSetting> Job { get; } =
    [
        .. JobSchema.Job.Where(k => k.Name is not ("source" or "target" or "snapshots" or "index" or "watch" or "notify" or "for_each"))
            .SelectMany(k => k.Shape == SettingShape.Section ? k.Keys.Select(inner => Of(inner, [k.Name])) : [Of(k, [])]),
    ];

    /// <summary>It can be given without its section as well.</summary>
    private static bool IsShort(SettingKey inner) => JobSchema.Endpoint.Any(k => k.Name == inner.Name);

    private static JobSetting Of(SettingKey key, ImmutableArray<string> above) => new(
        above.Add(key.Name), key.Purpose, key.Example, key.Choices,
        key.Shape switch { SettingShape.List => JobSettingShape.List, SettingShape.Map => JobSettingShape.Map, _ => JobSettingShape.Text }, key.Entry);
}
