using System.Collections.Immutable;

namespace Imapsync.Engine.Configuration;

/// <summary>Checks a configuration against the schema for unknown and missing keys, wrong shapes and unknown choices.</summary>
internal static class SchemaCheck
{
    /// <summary>The number of mistakes after which the check stops, since nobody reads more than these at once.</summary>
    public const int MaxErrors = 100;

    public static void Check(SettingNode section, ImmutableArray<SettingKey> keys, List<ConfigurationError> errors)
    {
        foreach (var node in section.Children.Where(n => !n.IsTakenAway()))
        {
            if (errors.Count > MaxErrors)
                return;
            var key = keys.FirstOrDefault(k => k.Name.Equals(node.Key, node.IsOverride ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal));
            if (key is null)
                errors.Add(Unknown(node, keys));
            else
                CheckShape(node, key, errors);
        }

        foreach (var key in keys.Where(k => k.IsRequired && section[k.Name] is null or { Kind: SettingKind.Nothing, IsOverride: true }))
        {
            if (key.StandIn is { } other && section[other] is { } instead && !instead.IsTakenAway())
                continue;
            var misspelt = section.Children.Any(n => !n.IsOverride && EditDistance.Nearest(n.Key, keys.Select(k => k.Name)) == key.Name && n.Key != key.Name);
            if (!misspelt)
                errors.Add(new ConfigurationError(section.KeyOrigin, $"'{key.Name}' is missing here", HowToAdd(key)));
        }
    }

    /// <summary>Returns whether an override with an empty value removes this setting.</summary>
    public static bool IsTakenAway(this SettingNode node) => node is { IsOverride: true, Kind: SettingKind.Nothing };

    private static void CheckShape(SettingNode node, SettingKey key, List<ConfigurationError> errors)
    {
        if (node.Kind == SettingKind.Nothing)
        {
            errors.Add(new ConfigurationError(node.KeyOrigin, $"'{key.Name}' has no value", $"give it one ({key.Example}) or remove the key"));
            return;
        }

        var fits = key.Shape switch
        {
            SettingShape.Text or SettingShape.Choice => node.Kind == SettingKind.Value,
            SettingShape.List => node.IsSequence || node is { IsOverride: true, Kind: SettingKind.Value },
            SettingShape.Sections => node.IsSequence,
            SettingShape.ChoiceOrSection => node.Kind == SettingKind.Value || (node.Kind == SettingKind.Mapping && !node.IsSequence),
            SettingShape.Rows => true,
            _ => node.Kind == SettingKind.Mapping,
        };
        if (!fits)
        {
            errors.Add(new ConfigurationError(node.ValueOrigin, $"'{key.Name}' must be {Describe(key.Shape)}, not {Describe(node)}", $"write it like this: {key.Name}: {key.Example}"));
            return;
        }

        switch (key.Shape)
        {
            case SettingShape.Choice or SettingShape.ChoiceOrSection when node.Kind == SettingKind.Value && !key.Choices.Contains(node.Value!, StringComparer.Ordinal):
                errors.Add(UnknownChoice(node, key));
                break;
            case SettingShape.Section or SettingShape.ChoiceOrSection when node.Kind == SettingKind.Mapping:
                Check(node, key.Keys, errors);
                break;
            case SettingShape.Sections:
                CheckSections(node, key, errors);
                break;
            case SettingShape.NamedSections:
                foreach (var named in node.Children)
                    CheckShape(named, key with { Name = named.Key, Shape = SettingShape.Section, Example = "{ connections: 50 }" }, errors);
                break;
            case SettingShape.List or SettingShape.Map:
                errors.AddRange(node.Children.Where(n => n.Kind != SettingKind.Value && !n.IsTakenAway()).Take(MaxErrors + 1).Select(n => new ConfigurationError(
                    n.ValueOrigin, $"an entry of '{key.Name}' must be text, not {Describe(n)}", $"write it like this: {key.Name}: {key.Example}")));
                break;
        }
    }

    private static void CheckSections(SettingNode node, SettingKey key, List<ConfigurationError> errors)
    {
        if (!node.Children.Any())
            errors.Add(new ConfigurationError(node.ValueOrigin, $"'{key.Name}' is empty", $"add at least one: {key.Example}"));
        foreach (var item in node.Items.TakeWhile(_ => errors.Count <= MaxErrors))
        {
            // An entry with for_each is checked later, with each row's values filled in.
            if (item["for_each"] is not null)
                continue;
            if (item.Kind == SettingKind.Mapping)
                Check(item, key.Keys, errors);
            else
                errors.Add(new ConfigurationError(item.ValueOrigin, $"an entry of '{key.Name}' must be a section of keys, not {Describe(item)}", $"write it like this: {key.Example}"));
        }
    }

    /// <summary>Shows how to write the missing key.</summary>
    private static string HowToAdd(SettingKey key) => key.Shape switch
    {
        SettingShape.Sections => $"add '{key.Name}:' and below it, indented, '{key.Example}' and the other keys of the first",
        SettingShape.Section => $"add '{key.Name}:' and below it, indented, its keys, '{key.Keys[0].Name}: {key.Keys[0].Example}' first",
        _ => $"add '{key.Name}: {key.Example}'",
    };

    /// <summary>Keys that other programs have for parts of an endpoint's URL. A user who writes one of them gets a hint.</summary>
    private static readonly string[] InTheUrl = ["server", "host", "hostname", "user", "username", "login", "port", "ssl", "protocol", "type"];

    private static ConfigurationError Unknown(SettingNode node, ImmutableArray<SettingKey> keys)
    {
        if (keys.Any(k => k.Name == "url") && InTheUrl.Contains(node.Key.ToLowerInvariant()))
        {
            return new ConfigurationError(
                node.KeyOrigin, $"unknown key '{node.Key}'", "protocol, user, server and port stand in 'url': imaps://USER@SERVER or imaps://USER@SERVER:PORT (imap:// for STARTTLS)");
        }

        var nearest = EditDistance.Nearest(node.Key, keys.Select(k => k.Name));
        return new ConfigurationError(node.KeyOrigin, $"unknown key '{Shorten(node.Key)}'",
            nearest is null ? $"the keys here are {string.Join(", ", keys.Select(k => k.Name))}" : $"did you mean '{nearest}'?");
    }

    private static ConfigurationError UnknownChoice(SettingNode node, SettingKey key)
    {
        var nearest = EditDistance.Nearest(node.Value!, key.Choices);
        var choices = $"it is one of {string.Join(", ", key.Choices)}";
        return new ConfigurationError(node.ValueOrigin, $"'{Shorten(node.Value!)}' is no value for '{key.Name}'",
            nearest is null ? choices : $"did you mean '{nearest}'? {choices}");
    }

    private static string Describe(SettingShape shape) => shape switch
    {
        SettingShape.List => "a list",
        SettingShape.Map => "a mapping",
        SettingShape.Section => "a section of keys",
        SettingShape.Sections => "a list of sections",
        SettingShape.ChoiceOrSection => "one word or a section of keys",
        _ => "a single value",
    };

    private static string Describe(SettingNode node) => node switch
    {
        { Kind: SettingKind.Value } => "a single value",
        { IsSequence: true } => "a list",
        { Kind: SettingKind.Mapping } => "a section of keys",
        _ => "nothing",
    };

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..60] + "…";
}
