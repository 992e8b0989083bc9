using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Imapsync.Engine.Configuration.Secrets;

namespace Imapsync.Engine.Configuration;

/// <summary>Reads <c>tls_client_certificate</c> and <c>tls_client_key</c>.</summary>
/// <param name="isWanted">Whether the job will run, so that certificate and key must exist and match.</param>
internal sealed class ClientCertificateReader(JobReadContext reading, bool isWanted)
{
    private const string CertificateKey = "tls_client_certificate";
    private const string KeyKey = "tls_client_key";

    public (string? Certificate, string? Key) Read(SettingNode section)
    {
        var key = PathOf(section, KeyKey);
        if (PathOf(section, CertificateKey) is not { } certificate)
        {
            if (key is not null && section[CertificateKey] is null or { Kind: SettingKind.Nothing })
                reading.Error(section[KeyKey]!.KeyOrigin, $"'{KeyKey}' is given without '{CertificateKey}'", $"add {CertificateKey}: the PEM file of the certificate");
            return (null, key);
        }

        if (isWanted)
            Check(section, certificate, key);
        return (certificate, key);
    }

    private string? PathOf(SettingNode section, string name) =>
        section.Text(name) is { } text ? reading.Resolve(section.Origin(name), text) : null;

    private void Check(SettingNode section, string certificate, string? key)
    {
        if (!IsReadable(section, CertificateKey, certificate) || (key is not null && !IsReadable(section, KeyKey, key)))
            return;
        var ofKey = section.Origin(key is null ? CertificateKey : KeyKey);
        reading.NoteWhenReadableByOthers(ofKey, key ?? certificate, UnixFileMode.GroupRead | UnixFileMode.OtherRead, $"the key in {key ?? certificate}");
        try
        {
            using var read = X509Certificate2.CreateFromPemFile(certificate, key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            // The exception's message is left out, since it may quote a file that contains a private key.
            reading.Error(
                ofKey,
                key is null ? $"{certificate} does not hold a certificate and its key" : $"{certificate} and {key} are not a certificate and its key",
                key is null
                    ? $"give a PEM file with both, or name the key's own file by {KeyKey}"
                    : "give PEM files that belong together, the key without a passphrase (openssl pkey -in KEY -out PLAIN)");
        }
    }

    private bool IsReadable(SettingNode section, string name, string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            reading.Error(section.Origin(name), $"{path} can't be read: {Unreadable.Why(e)}", "give a PEM file that this user can read");
            return false;
        }
    }
}
