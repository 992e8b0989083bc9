using Microsoft.Extensions.Configuration;

namespace Imapsync.Engine.Configuration;

/// <summary>A setting of the merged configuration, with its children and the place where it was written.</summary>
internal sealed partial class SettingNode
{
    // The children by escaped key. The keys ignore case, since overrides may be written in any case.
    private readonly Dictionary<string, SettingNode> children;

    private SettingNode(string key, SettingKind kind, SettingOrigin origin, Dictionary<string, SettingNode>? children = null)
    {
        this.children = children ?? new(StringComparer.OrdinalIgnoreCase);
        Key = key;
        Kind = kind;
        KeyOrigin = ValueOrigin = origin;
    }

    /// <summary>The key as it was written.</summary>
    public string Key { get; private set; }

    public SettingKind Kind { get; private set; }

    /// <summary>The text of a <see cref="SettingKind.Value"/>; null for other kinds.</summary>
    public string? Value { get; private set; }

    public SettingOrigin KeyOrigin { get; private set; }

    public SettingOrigin ValueOrigin { get; private set; }

    public bool IsOverride { get; private set; }

    /// <summary>Whether the setting is a default that was not written anywhere.</summary>
    public bool IsDefault { get; private init; }

    public IEnumerable<SettingNode> Children => children.Values;

    /// <summary>The members of a sequence, in order.</summary>
    public IEnumerable<SettingNode> Items =>
        children.Keys.OrderBy(k => int.TryParse(k, out var index) ? index : int.MaxValue).Select(k => children[k]);

    public bool IsSequence =>
        Kind == SettingKind.Sequence
        || (IsOverride && Kind == SettingKind.Mapping && children.Keys.All(k => int.TryParse(k, out _)));

    public SettingNode? this[string key] => children.GetValueOrDefault(key);

    /// <summary>
    /// Builds the tree in one pass over the providers' settings. IConfiguration.GetChildren would enumerate all keys of the file for each
    /// section, which is too slow for thousands of jobs.
    /// </summary>
    public static SettingNode Build(IConfigurationRoot root, SettingOrigin file)
    {
        var top = new SettingNode("", SettingKind.Mapping, file);
        foreach (var setting in root.Providers.OfType<LocatedConfigurationProvider>().SelectMany(p => p.Settings))
            top.Add(setting, root);
        return top;
    }

    /// <summary>Adds a default value, creating sections as needed, unless the setting already exists.</summary>
    /// <param name="path">The keys leading to the setting.</param>
    public void AddDefault(SettingOrigin origin, string value, params ReadOnlySpan<string> path) => AddDefault(DefaultValue(path[^1], value, origin), path);

    /// <summary>Adds a default list, as <c>AddDefault</c> adds a value.</summary>
    public void AddDefaultList(SettingOrigin origin, IEnumerable<string> values, params ReadOnlySpan<string> path)
    {
        var list = new SettingNode(path[^1], SettingKind.Sequence, origin) { IsDefault = true };
        foreach (var (index, value) in values.Index())
            list.children.Add($"{index}", DefaultValue($"{index}", value, origin));
        AddDefault(list, path);
    }

    private static SettingNode DefaultValue(string key, string value, SettingOrigin origin) => new(key, SettingKind.Value, origin) { Value = value, IsDefault = true };

    private void AddDefault(SettingNode added, ReadOnlySpan<string> path)
    {
        var node = this;
        foreach (var key in path[..^1])
        {
            if (!node.children.TryGetValue(key, out var section))
                node.children.Add(key, section = new SettingNode(key, SettingKind.Mapping, added.KeyOrigin) { IsDefault = true });
            // A value where a section belongs is a mistake, which is reported when the section is read.
            if (section.Kind != SettingKind.Mapping)
                return;
            node = section;
        }

        node.children.TryAdd(path[^1], added);
    }

    private void Add(LocatedSetting setting, IConfigurationRoot root)
    {
        var node = this;
        foreach (var segment in setting.Path.Split(':'))
        {
            if (!node.children.TryGetValue(segment, out var child))
            {
                child = new SettingNode(segment, SettingKind.Mapping, setting.KeyOrigin) { IsOverride = setting.IsOverride };
                node.children.Add(segment, child);
                if (node.Kind is SettingKind.Value or SettingKind.Nothing)
                    (node.Kind, node.Value, node.IsOverride, node.ValueOrigin) = (SettingKind.Mapping, null, setting.IsOverride, setting.KeyOrigin);
            }

            node = child;
        }

        var isKnown = setting.IsOverride && !node.IsOverride;
        node.Key = isKnown ? node.Key : setting.Key;
        node.KeyOrigin = isKnown ? node.KeyOrigin : setting.KeyOrigin;
        node.Kind = setting.Kind;
        node.Value = setting.Kind == SettingKind.Value ? root[setting.Path] : null;
        node.ValueOrigin = setting.ValueOrigin;
        node.IsOverride = setting.IsOverride;
        node.children.Clear();
    }
}
