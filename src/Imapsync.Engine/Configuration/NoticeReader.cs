using System.Collections.Immutable;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using MimeKit;

namespace Imapsync.Engine.Configuration;

/// <summary>
/// Reads <c>notify:</c>. Its secrets are looked up only when a notification is sent, so that a missing one can't prevent a job from
/// running.
/// </summary>
internal sealed class NoticeReader(JobReadContext reading)
{
    private const int SmtpsPort = 465, SubmissionPort = 587;

    private static readonly string[] TlsKeys = ["tls", "tls_ca_file"];

    private static readonly string[] Kinds = ["ping", "webhook", "command", "mail"];

    /// <param name="section">The section with the <c>notify</c> key: a job or the whole file.</param>
    public ImmutableArray<Notice> Read(SettingNode section) =>
        [.. (section["notify"]?.Items ?? []).Where(n => n.Kind == SettingKind.Mapping).Select(ReadOne).OfType<Notice>()];

    private Notice? ReadOne(SettingNode entry)
    {
        var given = entry.Children.Where(n => !n.IsTakenAway()).Select(n => Array.Find(Kinds, k => n.Key == k || n.Key.StartsWith(k + "_", StringComparison.Ordinal))).OfType<string>().Distinct().ToList();
        // If the entry has no known kind (ping, webhook, …) but an unknown key, that key is probably a misspelt kind. It is already
        // reported as unknown.
        if (given.Count == 0 && entry.Children.Any(n => !JobSchema.Notice.Any(k => k.Name == n.Key)))
            return null;
        if (given.Count != 1)
        {
            reading.Error(
                entry.KeyOrigin,
                given.Count == 0 ? "this entry of 'notify' says nothing of how" : $"this entry of 'notify' has {string.Join(" and ", given.Select(g => $"'{g}'"))}",
                $"give each entry one of {string.Join(", ", Kinds)}");
            return null;
        }

        var isClear = entry.Text("tls") == "none";
        NoticeMeans? means = given[0] switch
        {
            "ping" => ReadUrl(entry, "ping", isClear) is { } url ? new PingMeans(url) : null,
            "webhook" => ReadUrl(entry, "webhook", isClear) is { } url ? new WebhookMeans(url) : null,
            "command" => entry.Text("command") is { } command ? new CommandMeans(command) : null,
            _ => entry["mail"] is { Kind: SettingKind.Mapping } mail ? ReadMail(mail, isClear) : null,
        };
        var ca = entry.Text("tls_ca_file") is { } path ? reading.Resolve(entry.Origin("tls_ca_file"), path) : null;
        if (ca is not null && isClear)
            reading.Error(entry["tls_ca_file"]!.KeyOrigin, "'tls_ca_file' contradicts 'tls: none'", "remove one of them");
        foreach (var key in TlsKeys.Where(k => given[0] == "command" && entry[k] is { } node && !node.IsTakenAway()))
            reading.Error(entry[key]!.KeyOrigin, $"'{key}' means nothing to a command", "remove it");
        if (means is null)
            return null;
        var usual = new Notice(entry.KeyOrigin.ToString(), means);
        return usual with
        {
            On = entry.Text("on") is null && means is PingMeans ? NoticeOccasion.Always : entry.Choice(
                "on", ("failure", NoticeOccasion.Failure), ("always", NoticeOccasion.Always), ("change", NoticeOccasion.Change), ("weekly", NoticeOccasion.Weekly)),
            Timeout = ReadTimeout(entry) ?? usual.Timeout,
            IsClearText = isClear,
            TlsCaFile = ca,
        };
    }

    private TimeSpan? ReadTimeout(SettingNode entry)
    {
        var most = TimeSpan.FromMinutes(1);
        var timeout = reading.Duration(entry, "timeout");
        if (timeout > most)
            reading.Error(entry.Origin("timeout"), "this is too long for a notification, which the end of a run waits for", "write at most 60s");
        return timeout;
    }

    private SecretReference? ReadUrl(SettingNode entry, string key, bool isClear)
    {
        // A URL in the job file itself is checked immediately. The error does not quote it, since it may contain a token.
        if (entry.Text(key) is { } text && NoticeUrl.WhyNone(text, isClear) is { } why)
            reading.Error(entry.Origin(key), why, "write https://HOST/…, or http:// together with 'tls: none'");
        return new SecretReader(reading, isWanted: false, key).Read(entry);
    }

    private MailMeans? ReadMail(SettingNode mail, bool isClear)
    {
        var from = ReadAddresses(mail, "from", mail.Text("from") is { } author ? [(author, mail.Origin("from"))] : []);
        var to = ReadAddresses(mail, "to", mail.List("to") ?? []);
        if (mail.Text("server") is not { } text)
            return null;
        var origin = mail.Origin("server");
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("smtps" or "smtp") || url.Host.Length == 0 || url.AbsolutePath is not ("" or "/") || url.Query.Length > 0)
        {
            reading.Error(origin, "this is no mail server", "write smtps://USER@HOST (TLS, port 465) or smtp://USER@HOST (STARTTLS, port 587), without USER@ where no log-in is needed");
            return null;
        }

        if (url.UserInfo.Contains(':', StringComparison.Ordinal))
            reading.Error(origin, "a URL must not hold a password", "use password_env, password_file or password_command");
        if (isClear && url.Scheme == "smtps")
            reading.Error(origin, "'tls: none' contradicts an smtps: URL", "write smtp://, or remove 'tls: none' to stay encrypted");
        var user = url.UserInfo.Length == 0 ? null : Uri.UnescapeDataString(url.UserInfo.Split(':')[0]);
        var password = new SecretReader(reading, isWanted: false).Read(mail);
        if (user is null != password is null)
            reading.Error(origin, user is null ? "there is a password and no user" : $"there is no password for {user}", user is null ? "write smtps://USER@HOST" : "add password_env, password_file or password_command");
        var tls = isClear ? TlsMode.None : url.Scheme == "smtps" ? TlsMode.Implicit : TlsMode.StartTls;
        var port = url.Port > 0 ? url.Port : url.Scheme == "smtps" ? SmtpsPort : SubmissionPort;
        return from.Length == 0 || to.Length == 0 ? null : new MailMeans(url.Host.Trim('[', ']'), port, tls, user, password, from[0], to);
    }

    private ImmutableArray<string> ReadAddresses(SettingNode mail, string key, IReadOnlyList<(string Text, SettingOrigin Origin)> texts)
    {
        foreach (var (text, origin) in texts.Where(t => !(MailboxAddress.TryParse(t.Text, out var address) && address.Address.Contains('@', StringComparison.Ordinal) && !t.Text.Any(char.IsControl))))
            reading.Error(origin, $"'{text}' is no address for '{key}'", "write one like ops@example.org");
        if (texts.Count == 0 && mail[key] is { IsSequence: true } node)
            reading.Error(node.ValueOrigin, $"'{key}' is empty", "add an address");
        return [.. texts.Select(t => t.Text)];
    }
}
