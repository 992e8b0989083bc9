using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Imapsync.Engine.Configuration.Secrets;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration;

/// <summary>Reads a job's <c>source:</c> or <c>target:</c>.</summary>
/// <param name="isWanted">The job will be run: what the settings point at must be there.</param>
internal sealed class EndpointReader(JobReadContext reading, bool isWanted)
{
    public Endpoint? Read(SettingNode section)
    {
        if (section.Text("url") is not { } text)
            return null;
        var url = EndpointUrl.Parse(text, section.Origin("url"), reading);
        if (url is null)
            return null;
        RefuseForeign(section, JobSchema.Endpoint, url);
        var limits = new EndpointLimitsReader(reading, section);
        return url.Kind switch
        {
            EndpointKinds.Maildir => new MaildirEndpoint(url.Directory, section.Choice("layout", ("maildir++", MaildirLayout.MaildirPlusPlus), ("fs", MaildirLayout.Fs))) { Limits = limits.Read() },
            EndpointKinds.Mbox => new MboxEndpoint(url.Directory) { Limits = limits.Read() },
            _ => ReadImap(section, url, limits),
        };
    }

    /// <summary>What says nothing to this kind of store is a mistake.</summary>
    private void RefuseForeign(SettingNode section, ImmutableArray<SettingKey> keys, EndpointUrl url)
    {
        foreach (var node in section.Children.Where(n => !n.IsTakenAway()))
        {
            var key = keys.FirstOrDefault(k => k.Name == node.Key);
            if (key?.AppliesTo.HasFlag(url.Kind) == false)
                reading.Error(node.KeyOrigin, $"'{key.Name}' means nothing to a {url.Scheme}: store", "remove it");
            else if (key?.Shape == SettingShape.Section)
                RefuseForeign(node, key.Keys, url);
        }
    }

    private ImapEndpoint ReadImap(SettingNode section, EndpointUrl url, EndpointLimitsReader limits)
    {
        var auth = LogInReader.ReadMechanism(section);
        if (url.User.Length == 0 && LogInReader.NeedsUser(auth))
            reading.Error(section.Origin("url"), "the URL names no user", $"write {url.Scheme}://USER@{url.Host}, an @ inside the user as it is or as %40");
        if (section.Text("authorize_as") is { } other && other.Any(char.IsControl))
            reading.Error(section.Origin("authorize_as"), "'authorize_as' holds control characters", "remove them");
        LogInReader.RefuseLostIdentity(reading, section, auth);
        var (certificate, key) = new ClientCertificateReader(reading, isWanted).Read(section);
        var endpoint = new ImapEndpoint(url.Host, url.Port, ReadTls(section, url), url.User)
        {
            Auth = auth,
            AuthorizeAs = section.Text("authorize_as"),
            TlsCaFile = ReadCaFile(section),
            TlsFingerprint = ReadFingerprint(section),
            TlsClientCertificate = certificate,
            TlsClientKey = key,
            Compress = section.Choice("compress", ("false", false), ("true", true)),
            Connections = limits.ReadConnections(),
            Limits = limits.Read(),
            Timeouts = limits.ReadTimeouts(),
        };
        return endpoint with { Password = new SecretReader(reading, isWanted).Read(section, endpoint) };
    }

    private TlsMode ReadTls(SettingNode section, EndpointUrl url)
    {
        var isNone = section.Text("tls") == "none";
        if (isNone && url.Scheme == "imaps")
            reading.Error(section.Origin("tls"), "'tls: none' contradicts an imaps: URL", "write imap://, or remove 'tls: none' to stay encrypted");
        foreach (var key in new[] { "tls_ca_file", "tls_fingerprint", "tls_client_certificate", "tls_client_key" })
        {
            if (isNone && section[key] is { } node && !node.IsTakenAway())
                reading.Error(node.KeyOrigin, $"'{key}' contradicts 'tls: none'", "remove one of them");
        }

        if (section["tls_ca_file"] is not (null or { Kind: SettingKind.Nothing }) && section["tls_fingerprint"] is { Kind: not SettingKind.Nothing } pin)
            reading.Error(pin.KeyOrigin, "'tls_fingerprint' and 'tls_ca_file' are both given, and a pinned certificate needs no authority", "remove one of them");
        if (url is { Scheme: "imap", Port: 993 } or { Scheme: "imaps", Port: 143 })
            reading.Note(section.Origin("url"), $"port {url.Port} is unusual for {url.Scheme}:; imaps: is TLS from the start (993), imap: is STARTTLS (143)");
        return isNone ? TlsMode.None : url.Scheme == "imaps" ? TlsMode.Implicit : TlsMode.StartTls;
    }

    private string? ReadCaFile(SettingNode section)
    {
        if (section.Text("tls_ca_file") is not { } text || reading.Resolve(section.Origin("tls_ca_file"), text) is not { } path)
            return null;
        if (!isWanted || reading.LookedInto?.Add(path) == false)
            return path;
        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(path);
            if (authorities.Count == 0)
                reading.Error(section.Origin("tls_ca_file"), $"{path} holds no certificate", "give a PEM file with BEGIN CERTIFICATE lines");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            reading.Error(section.Origin("tls_ca_file"), $"{path} can't be read: {Unreadable.Why(e)}", "give a PEM file that this user can read");
        }

        return path;
    }

    private string? ReadFingerprint(SettingNode section)
    {
        if (section.Text("tls_fingerprint") is not { } text)
            return null;
        if (SettingText.TryFingerprint(text, out var fingerprint))
            return fingerprint;
        reading.Error(section.Origin("tls_fingerprint"), "this is no SHA-256 fingerprint", "write its 64 hexadecimal digits, with or without colons (openssl x509 -noout -fingerprint -sha256)");
        return null;
    }
}
