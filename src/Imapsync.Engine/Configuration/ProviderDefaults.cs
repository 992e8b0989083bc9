using System.Globalization;
using Imapsync.Engine.Providers;

namespace Imapsync.Engine.Configuration;

/// <summary>Fills in the settings that are known for an endpoint's <c>provider:</c>, except those that the job sets itself.</summary>
internal sealed class ProviderDefaults(JobReadContext reading)
{
    /// <summary>
    /// The part of a provider's daily transfer limit that is used. The rest is a reserve, because the provider also counts data that is
    /// fetched but never copied.
    /// </summary>
    private const decimal ShareOfBudget = 0.9m;

    /// <param name="root">The root of the job file.</param>
    public void Fill(SettingNode root)
    {
        foreach (var job in (root["jobs"]?.Items ?? []).Where(n => n.Kind == SettingKind.Mapping))
        {
            var to = Section(job, "target") is { } target ? FillEndpoint(target, isTarget: true) : null;
            if (Section(job, "source") is { } source && FillEndpoint(source, isTarget: false) is { } from)
                FillJob(job, from, to, source["provider"]!.ValueOrigin);
        }
    }

    /// <returns>The provider; null when none is named or its name is unknown.</returns>
    public Provider? FillEndpoint(SettingNode section, bool isTarget)
    {
        if (section["provider"] is not { Kind: SettingKind.Value, Value: { } name } node)
        {
            if (Given(section, "user") is { } alone && Given(section, "provider") is null)
                reading.Error(alone.KeyOrigin, "'user' says where the mail is only beside 'provider'", "add 'provider: gmail' or another of 'imapsync providers'; without one, protocol, user, server and port stand in 'url': imaps://USER@SERVER");
            return null;
        }

        if (ProviderTable.Find(name) is not { } provider)
            return null;
        var origin = node.ValueOrigin;
        FillUrl(section, provider, origin);
        // 'oauth' and 'token_command' select the mechanism themselves.
        if (provider.NeedsOAuth && Given(section, "oauth") is null && Given(section, "token_command") is null)
            section.AddDefault(origin, "xoauth2", "auth");
        if (provider.MaxConnections is { } most && Given(section, "connections") is null)
            section.AddDefault(origin, $"{Math.Min(most, Mail.ImapEndpoint.DefaultConnections)}", "limits", "connections");
        if ((isTarget ? provider.BytesWrittenPerDay : provider.BytesReadPerDay) is { } budget)
            section.AddDefault(origin, ((long)(budget * ShareOfBudget)).ToString(CultureInfo.InvariantCulture), "limits", "bytes_per_day");
        return provider;
    }

    private void FillUrl(SettingNode section, Provider provider, SettingOrigin origin)
    {
        if (Given(section, "url") is { } url)
        {
            if (Given(section, "user") is { } both)
                reading.Error(both.KeyOrigin, $"'user' contradicts 'url' at {url.KeyOrigin}", "remove one of them; a URL names the user before the @: imaps://USER@SERVER");
        }
        else if (provider.Address is not { } address)
        {
            reading.Error(origin, $"{provider.Title} may be anywhere, and 'url' is missing here", "add 'url: imaps://USER@SERVER'");
        }
        else if (section.Text("user") is not { Length: > 0 } user)
        {
            reading.Error(section["user"]?.KeyOrigin ?? origin, $"neither 'user' nor 'url' says who signs in to {provider.Title}", $"add 'user: {Example(provider)}'");
        }
        else if (provider.IsSelfSigned && Given(section, "tls_fingerprint") is null && Given(section, "tls_ca_file") is null)
        {
            reading.Error(origin, $"the certificate of {provider.Title} is made by itself, and nothing says which one is good", "add 'tls_fingerprint: ' with its SHA-256; 'imapsync init' shows it");
        }
        else
        {
            section.AddDefault(section["user"]!.ValueOrigin, address.Replace("://", $"://{Escape(user)}@", StringComparison.Ordinal), "url");
        }
    }

    private void FillJob(SettingNode job, Provider provider, Provider? to, SettingOrigin origin)
    {
        // The defaults below are for IMAP only: a POP3 mailbox has one folder and no labels.
        if (job["source"].Text("url")?.StartsWith("imap", StringComparison.OrdinalIgnoreCase) != true)
            return;
        // Between two stores with labels, each message is copied once, with its labels as keywords.
        if (provider.HasLabels)
            job.AddDefault(origin, to is { HasLabels: true } ? "keywords" : "folders", "labels");
        if (provider.LeaveOut.IsEmpty || (job["folders"] is { } folders && Given(folders, "exclude") is not null))
            return;
        job.AddDefaultList(origin, provider.LeaveOut, "folders", "exclude");
        // Somebody may keep mail in a folder with one of these names after all, so a note mentions the excluded folders.
        if (job.Text("name") is { } name && reading.IsWanted(name))
            reading.Note(origin, $"'provider: {provider.Name}' leaves out {string.Join(", ", provider.LeaveOut)}, which hold no mail there; 'folders: exclude' says otherwise ([] for nothing)");
    }

    private static string Example(Provider provider) =>
        provider.User == UserForm.LocalPart ? "alice" : $"alice@{(provider.Domains is [var domain, ..] ? domain : "example.com")}";

    /// <summary>Percent-encodes a user name for a URL (RFC 3986 §3.2.1); an @ is kept.</summary>
    private static string Escape(string user) => Uri.EscapeDataString(user).Replace("%40", "@", StringComparison.Ordinal);

    private static SettingNode? Section(SettingNode job, string key) => job[key] is { Kind: SettingKind.Mapping } node ? node : null;

    private static SettingNode? Given(SettingNode section, string key) => section[key] is { } node && !node.IsTakenAway() ? node : null;
}
