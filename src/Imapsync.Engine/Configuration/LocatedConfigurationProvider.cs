using Microsoft.Extensions.Configuration;

namespace Imapsync.Engine.Configuration;

internal enum SettingKind
{
    Value,

    /// <summary>A key with nothing behind it.</summary>
    Nothing,
    Mapping,
    Sequence,
}

/// <param name="Path">The configuration path, <c>jobs:0:source:url</c>.</param>
/// <param name="Key">The last key as it was written; the path may hold an escaped form of it.</param>
internal sealed record LocatedSetting(
    string Path, string Key, SettingKind Kind, SettingOrigin KeyOrigin, SettingOrigin ValueOrigin, bool IsOverride = false);

/// <summary>A configuration provider that remembers where each of its settings was written.</summary>
internal abstract class LocatedConfigurationProvider : ConfigurationProvider
{
    /// <summary>Parents before their children.</summary>
    public List<LocatedSetting> Settings { get; } = [];

    public List<ConfigurationError> Errors { get; } = [];

    /// <summary>A key as a part of a configuration path, in which <c>:</c> separates and nothing may be empty.</summary>
    public static string EscapeKey(string key) => key.Length == 0 ? "\u0002" : key.Replace(':', '\u0001');
}
