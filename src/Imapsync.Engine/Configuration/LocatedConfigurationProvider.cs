using Microsoft.Extensions.Configuration;

namespace Imapsync.Engine.Configuration;

internal enum SettingKind
{
    Value,

    /// <summary>A key without a value.</summary>
    Nothing,
    Mapping,
    Sequence,
}

/// <param name="Path">The configuration path, for example <c>jobs:0:source:url</c>.</param>
/// <param name="Key">The last key as it was written; <paramref name="Path"/> may contain an escaped form of it.</param>
internal sealed record LocatedSetting(
    string Path, string Key, SettingKind Kind, SettingOrigin KeyOrigin, SettingOrigin ValueOrigin, bool IsOverride = false);

/// <summary>A configuration provider that remembers where each of its settings was written.</summary>
internal abstract class LocatedConfigurationProvider : ConfigurationProvider
{
    /// <summary>The settings, with parents before their children.</summary>
    public List<LocatedSetting> Settings { get; } = [];

    public List<ConfigurationError> Errors { get; } = [];

    /// <summary>Escapes a key for a configuration path, where <c>:</c> is the separator and empty keys are not allowed.</summary>
    public static string EscapeKey(string key) => key.Length == 0 ? "\u0002" : key.Replace(':', '\u0001');
}
