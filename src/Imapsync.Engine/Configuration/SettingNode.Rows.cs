namespace Imapsync.Engine.Configuration;

// Copies with other values in some places; what is the same is shared.
internal sealed partial class SettingNode
{
    private static readonly Dictionary<string, SettingNode> None = [];

    /// <summary>The same setting with another value.</summary>
    /// <param name="origin">Where that is written.</param>
    public SettingNode WithValue(string value, SettingOrigin origin) =>
        new(Key, SettingKind.Value, KeyOrigin, None) { Value = value, ValueOrigin = origin, IsOverride = IsOverride };

    /// <summary>The same section with others in place of some of its settings, and without one.</summary>
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
