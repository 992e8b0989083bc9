namespace Imapsync.Engine.Configuration;

// Copies of a setting with some values changed; unchanged parts are shared with the original.
internal sealed partial class SettingNode
{
    private static readonly Dictionary<string, SettingNode> None = [];

    /// <summary>Returns a copy of the setting with another value.</summary>
    /// <param name="origin">Where the new value was written.</param>
    public SettingNode WithValue(string value, SettingOrigin origin) =>
        new(Key, SettingKind.Value, KeyOrigin, None) { Value = value, ValueOrigin = origin, IsOverride = IsOverride };

    /// <summary>
    /// Returns a copy of the section with some settings replaced and, if given, the setting <paramref name="without"/> removed.
    /// </summary>
    public SettingNode WithChildren(IEnumerable<SettingNode> replaced, string? without = null)
    {
        var all = new Dictionary<string, SettingNode>(children, StringComparer.OrdinalIgnoreCase);
        foreach (var child in replaced)
            all[LocatedConfigurationProvider.EscapeKey(child.Key)] = child;
        if (without is not null)
            all.Remove(without);
        return new SettingNode(Key, Kind, KeyOrigin, all) { ValueOrigin = ValueOrigin, IsOverride = IsOverride };
    }
}
