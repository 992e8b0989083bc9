using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Imapsync.Imap.Connection;

/// <summary>The client certificate with its key, from PEM files. It is presented in the TLS handshake if the server asks for one.</summary>
/// <param name="certificateFile">The certificate first, followed by its intermediate certificates. Null to present none.</param>
/// <param name="keyFile">The key's file; null if the key is in the certificate's file.</param>
internal sealed class ClientCertificate(string? certificateFile, string? keyFile)
{
    public bool IsGiven => certificateFile is not null;

    /// <summary>Loads the files. They are loaded again for each connection, so that a renewed certificate is used.</summary>
    /// <exception cref="ImapConnectionException">A file can't be used; the message names the file and reveals nothing of its contents.</exception>
    public SslStreamCertificateContext? Load()
    {
        if (certificateFile is null)
            return null;
        try
        {
            using var read = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
            // The TLS implementation of Windows does not accept a key that exists only in memory, so the certificate goes through PKCS #12.
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
