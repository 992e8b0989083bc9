using System.Collections.Immutable;
using Microsoft.Extensions.Configuration;

namespace Imapsync.Engine.Configuration;

/// <summary>A setting that was given outside a job file.</summary>
/// <param name="Given">What the user wrote to give it, for error texts: <c>--target-password-env</c>.</param>
/// <param name="Path">The keys leading to the setting in a job, with numbers for list entries: <c>target</c>, <c>password_env</c>.</param>
public sealed record GivenSetting(string Given, ImmutableArray<string> Path, string Value);

/// <summary>A configuration source for settings that were given outside a job file.</summary>
/// <param name="prefix">The configuration path below which the settings are placed.</param>
internal sealed class CommandLineSettings(IReadOnlyList<GivenSetting> settings, params ImmutableArray<string> prefix) : LocatedConfigurationProvider, IConfigurationSource
{
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public override void Load()
    {
        foreach (var setting in settings)
        {
            var origin = new SettingOrigin(setting.Given);
            var path = string.Join(':', prefix.Concat(setting.Path).Select(EscapeKey));
            var kind = setting.Value.Length == 0 ? SettingKind.Nothing : SettingKind.Value;
            Settings.Add(new LocatedSetting(path, setting.Path[^1], kind, origin, origin, IsOverride: true));
            Data[path] = kind == SettingKind.Nothing ? null : setting.Value;
        }
    }
}
