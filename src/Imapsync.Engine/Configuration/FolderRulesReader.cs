using System.Collections.Immutable;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration;

/// <summary>Reads <c>folders:</c> of a job.</summary>
internal sealed class FolderRulesReader(JobReadContext reading)
{
    /// <param name="isToServer">
    /// Whether the target is an account on a server. By default, a folder such as Sent is then copied to the account's folder with the same
    /// special use (RFC 6154). In a backup, folders keep their names.
    /// </param>
    public FolderRules Read(SettingNode? section, bool isToServer)
    {
        var rules = new FolderRules { SpecialUse = isToServer ? SpecialUsePolicy.Match : SpecialUsePolicy.Names };
        if (section is null)
            return rules;
        var include = section.List("include");
        if (include is { Count: 0 } && section["include"]!.IsSequence)
            reading.Error(section.Origin("include"), "'include' is empty, so nothing would be copied", "remove it to include every folder");
        var prefix = ReadPrefix(section);
        return rules with
        {
            Include = include is null ? rules.Include : Globs(include),
            Exclude = Globs(section.List("exclude") ?? []),
            Map = ReadMap(section["map"]),
            Prefix = prefix,
            SpecialUse = ReadSpecialUse(section, prefix, rules.SpecialUse),
        };
    }

    private FolderPath? ReadPrefix(SettingNode section)
    {
        if (section.Text("prefix") is not { } text)
            return null;
        if (FolderPath.TryParse(text, out var prefix))
            return prefix;
        reading.Error(section.Origin("prefix"), $"'{text}' is no folder", "write a folder's name, levels split by /, none of them empty");
        return null;
    }

    private SpecialUsePolicy ReadSpecialUse(SettingNode section, FolderPath? prefix, SpecialUsePolicy usual)
    {
        if (section.Text("special_use") is null)
            return prefix is null ? usual : SpecialUsePolicy.Names;
        var policy = section.Choice("special_use", ("match", SpecialUsePolicy.Match), ("names", SpecialUsePolicy.Names));
        if (policy == SpecialUsePolicy.Match && prefix is not null)
            reading.Error(section.Origin("special_use"), "'special_use: match' contradicts 'prefix', which puts everything below one folder", "remove one of them");
        return policy;
    }

    /// <summary>Returns the valid patterns of folder names. An invalid pattern is reported and left out.</summary>
    public ImmutableArray<string> Globs(IReadOnlyList<(string Text, SettingOrigin Origin)> globs)
    {
        foreach (var (text, origin) in globs.Where(g => !FolderPath.TryParse(g.Text, out _)))
            reading.Error(origin, $"'{text}' fits no folder: a level is empty", "split levels by single slashes, none in front or at the end");
        return [.. globs.Select(g => g.Text)];
    }

    private ImmutableDictionary<FolderPath, FolderPath> ReadMap(SettingNode? map)
    {
        var paths = new Dictionary<FolderPath, FolderPath>();
        foreach (var node in map?.Children.Where(n => n.Kind == SettingKind.Value) ?? [])
        {
            var isSource = FolderPath.TryParse(node.Key, out var source);
            var isTarget = FolderPath.TryParse(node.Value!, out var target);
            if (!isSource || !isTarget)
                reading.Error(isSource ? node.ValueOrigin : node.KeyOrigin, $"'{(isSource ? node.Value : node.Key)}' is no folder", "write a folder's name, levels split by /, none of them empty");
            else if (!paths.TryAdd(source, target))
                reading.Error(node.KeyOrigin, $"'{source}' is mapped twice", "remove one of them");
        }

        return paths.ToImmutableDictionary();
    }
}
