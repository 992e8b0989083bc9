using System.Collections.Immutable;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;

namespace Imapsync.Engine.Configuration;

/// <summary>Reads a job's <c>source:</c> or <c>target:</c>.</summary>
/// <param name="isWanted">Whether the job will run, so that files and variables named in the settings must exist.</param>
/// <param name="isTarget">Whether the endpoint is the target, which mail is written to.</param>
internal sealed class EndpointReader(JobReadContext reading, bool isWanted, bool isTarget)
{
    public Endpoint? Read(SettingNode section)
    {
        if (section.Text("url") is not { } text)
            return null;
        if (EndpointUrl.Parse(text, section.Origin("url"), reading) is not { } url)
            return null;
        if (isTarget && url.Kind.IsSourceOnly)
        {
            var forms = string.Join(", ", StoreRegistry.Kinds.Where(k => !k.IsSourceOnly).SelectMany(k => k.UrlForms));
            reading.Error(section.Origin("url"), $"from a {url.Scheme}: store mail can be read, and none can be written to it", $"give a place that takes mail: {forms}");
            return null;
        }

        RefuseForeign(section, JobSchema.Endpoint, url);
        return url.Kind.Read(new EndpointSettings(reading, section, url, isWanted)) is { } endpoint
            ? endpoint with { Limits = new EndpointLimitsReader(reading, section).Read() }
            : null;
    }

    /// <summary>Reports every setting that does not apply to this kind of store.</summary>
    private void RefuseForeign(SettingNode section, ImmutableArray<SettingKey> keys, EndpointUrl url)
    {
        foreach (var node in section.Children.Where(n => !n.IsTakenAway() && !n.IsDefault))
        {
            var key = keys.FirstOrDefault(k => k.Name == node.Key);
            if (key?.AppliesTo(url.Kind) == false)
                reading.Error(node.KeyOrigin, $"'{key.Name}' means nothing to a {url.Scheme}: store", "remove it");
            else if (key is { Keys.IsEmpty: false } && node.Kind == SettingKind.Mapping)
                RefuseForeign(node, key.Keys, url);
        }
    }
}
