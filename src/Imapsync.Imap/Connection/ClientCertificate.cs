using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Imapsync.Imap.Connection;

/// <summary>What this side shows of itself in the handshake where the server asks: a certificate with its key, from PEM files.</summary>
/// <param name="certificateFile">The certificate first, those between it and the authority behind it. Null to show nothing.</param>
/// <param name="keyFile">Null where the key stands in the same file.</param>
internal sealed class ClientCertificate(string? certificateFile, string? keyFile)
{
    public bool IsGiven => certificateFile is not null;

    /// <summary>Read anew for each connection: a certificate that was renewed meanwhile is the one to show.</summary>
    /// <exception cref="ImapConnectionException">With the file that can't be used; nothing of what is in it.</exception>
    public SslStreamCertificateContext? Load()
    {
        if (certificateFile is null)
            return null;
        try
        {
            using var read = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
            // Windows' TLS takes no key that lives in memory alone.
            var certificate = OperatingSystem.IsWindows()
                ? X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pkcs12), null)
                : new X509Certificate2(read);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(certificateFile);
            return SslStreamCertificateContext.Create(certificate, chain, offline: true);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            var files = keyFile is null ? certificateFile : $"{certificateFile} with the key {keyFile}";
            throw new ImapConnectionException(ConnectionFailure.Tls, $"the client certificate {files} can't be used: {e.Message}", e);
        }
    }
}
