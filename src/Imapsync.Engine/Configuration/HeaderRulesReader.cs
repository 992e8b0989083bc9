using System.Collections.Immutable;
using Imapsync.Engine.Jobs;

namespace Imapsync.Engine.Configuration;

/// <summary>Reads the rules for header fields in <c>messages:</c>.</summary>
internal sealed class HeaderRulesReader(JobReadContext reading)
{
    public ImmutableArray<HeaderRule> Read(SettingNode section) =>
    [
        .. Globs(section, "from", HeaderKind.Addresses, "From"),
        .. Globs(section, "to", HeaderKind.Addresses, "To", "Cc", "Bcc"),
        .. Globs(section, "subject", HeaderKind.Text, "Subject"),
        .. Globs(section, "list_id", HeaderKind.ListId, "List-Id"),
        .. Fields(section["headers"], excludes: false),
        .. Fields(section["without_headers"], excludes: true),
    ];

    private IEnumerable<HeaderRule> Globs(SettingNode section, string key, HeaderKind kind, params ImmutableArray<string> fields)
    {
        var (with, without) = (section.List(key) ?? [], section.List($"without_{key}") ?? []);
        foreach (var (_, origin) in with.Concat(without).Where(g => string.IsNullOrWhiteSpace(g.Text)))
            reading.Error(origin, "an empty glob fits nothing", "write what is to be there, * for any characters and ? for one");
        foreach (var (text, origin) in without.Where(g => with.Any(w => w.Text.Equals(g.Text, StringComparison.OrdinalIgnoreCase))))
            reading.Error(origin, $"'{text}' is in '{key}' and in 'without_{key}', so no message would fit it", "remove it from one of them");
        if (with.Count > 0)
            yield return new HeaderRule(kind, fields, [.. with.Select(g => g.Text)], Excludes: false);
        if (without.Count > 0)
            yield return new HeaderRule(kind, fields, [.. without.Select(g => g.Text)], Excludes: true);
    }

    private IEnumerable<HeaderRule> Fields(SettingNode? map, bool excludes)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var node in map?.Children.Where(n => n.Kind == SettingKind.Value) ?? [])
        {
            // A field name is printable ASCII without a colon (RFC 5322 §2.2).
            if (!node.Key.All(c => c is > ' ' and <= '~' and not ':') || node.Key.Length == 0)
                reading.Error(node.KeyOrigin, $"'{node.Key}' is no name of a header field", "write it as it stands in messages, without the colon: X-Spam-Flag");
            else if (!names.Add(node.Key))
                reading.Error(node.KeyOrigin, $"'{node.Key}' is there twice: the case of a field's name does not count", "remove one of them");
            else if (string.IsNullOrWhiteSpace(node.Value))
                reading.Error(node.ValueOrigin, "an empty glob fits nothing", "write * for a field that is there, whatever it says");
            else
                yield return new HeaderRule(HeaderKind.Text, [node.Key], [node.Value!], excludes);
        }
    }
}
