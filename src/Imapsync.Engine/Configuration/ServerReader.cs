using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Imapsync.Engine.Configuration.Secrets;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration;

/// <summary>Reads the settings for connecting and logging in that servers of all protocols share.</summary>
/// <param name="isWanted">Whether the job will run, so that files and variables named in the settings must exist.</param>
internal sealed class ServerReader(JobReadContext reading, bool isWanted)
{
    /// <inheritdoc cref="IEndpointSettings.ReadServer"/>
    public T? Read<T>(SettingNode section, EndpointUrl url, int securePort, int plainPort, Func<string, int, TlsMode, string, T> make)
        where T : ServerEndpoint
    {
        var isSecure = url.Scheme[^1] == 's';
        var plain = isSecure ? url.Scheme[..^1] : url.Scheme;
        if (url.ReadServer(isSecure ? securePort : plainPort) is not var (host, port, user))
            return null;
        var auth = LogInReader.ReadMechanism(section);
        if (user.Length == 0 && LogInReader.NeedsUser(auth))
            reading.Error(section.Origin("url"), "the URL names no user", $"write {url.Scheme}://USER@{host}, an @ inside the user as it is or as %40");
        if (section.Text("authorize_as") is { } other && other.Any(char.IsControl))
            reading.Error(section.Origin("authorize_as"), "'authorize_as' holds control characters", "remove them");
        LogInReader.RefuseLostIdentity(reading, section, auth);
        var (certificate, key) = new ClientCertificateReader(reading, isWanted).Read(section);
        var tls = ReadTls(section, isSecure, plain);
        var route = new RouteReader(reading, isWanted).Read(section);
        // STARTTLS is not the default through a tunnel command: the connection is usually protected already. The session may even be logged
        // in, and STARTTLS is not allowed any more.
        if (route.TunnelCommand is not null && tls == TlsMode.StartTls && section.Text("tls") is null)
            tls = TlsMode.None;
        if (port == (isSecure ? plainPort : securePort))
            reading.Note(section.Origin("url"), $"port {port} is unusual for {url.Scheme}:; {plain}s: is TLS from the start ({securePort}), {plain}: is STARTTLS ({plainPort})");
        var endpoint = make(host, port, tls, user) with
        {
            Route = route,
            Auth = auth,
            AuthorizeAs = section.Text("authorize_as"),
            TlsCaFile = ReadCaFile(section),
            TlsFingerprint = ReadFingerprint(section),
            TlsClientCertificate = certificate,
            TlsClientKey = key,
            Timeouts = new EndpointLimitsReader(reading, section).ReadTimeouts(),
        };
        return (T)(endpoint with
        {
            Password = TokenReader.IsGiven(section) ? new TokenReader(reading, isWanted).Read(section, endpoint) : new SecretReader(reading, isWanted).Read(section, endpoint),
        });
    }

    private TlsMode ReadTls(SettingNode section, bool isSecure, string plain)
    {
        var isNone = section.Text("tls") == "none";
        if (isNone && isSecure)
            reading.Error(section.Origin("tls"), $"'tls: none' contradicts {(plain[0] == 'i' ? "an" : "a")} {plain}s: URL", $"write {plain}://, or remove 'tls: none' to stay encrypted");
        foreach (var key in new[] { "tls_ca_file", "tls_fingerprint", "tls_client_certificate", "tls_client_key" })
        {
            if (isNone && section[key] is { } node && !node.IsTakenAway())
                reading.Error(node.KeyOrigin, $"'{key}' contradicts 'tls: none'", "remove one of them");
        }

        if (section["tls_ca_file"] is not (null or { Kind: SettingKind.Nothing }) && section["tls_fingerprint"] is { Kind: not SettingKind.Nothing } pin)
            reading.Error(pin.KeyOrigin, "'tls_fingerprint' and 'tls_ca_file' are both given, and a pinned certificate needs no authority", "remove one of them");
        return isNone ? TlsMode.None : isSecure ? TlsMode.Implicit : TlsMode.StartTls;
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
