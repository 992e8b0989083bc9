using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Imapsync.Tests.Support;

/// <summary>A private certificate authority and its certificate for one server (localhost, 127.0.0.1), as PEM files.</summary>
public sealed class TestAuthority
{
    private readonly string directory;
    private readonly DateTimeOffset now;
    private readonly string caCertificate;
    private readonly string caKey;

    private TestAuthority(string directory, DateTimeOffset now, string fingerprint, string caCertificate, string caKey)
    {
        (this.directory, this.now, this.caCertificate, this.caKey) = (directory, now, caCertificate, caKey);
        CaFile = Path.Combine(directory, "ca.pem");
        CertificateFile = Path.Combine(directory, "server.pem");
        KeyFile = Path.Combine(directory, "server.key");
        Fingerprint = fingerprint;
    }

    public string CaFile { get; }

    public string CertificateFile { get; }

    public string KeyFile { get; }

    /// <summary>The SHA-256 of the server's certificate in hex.</summary>
    public string Fingerprint { get; }

    public static TestAuthority Create(string directory, TimeProvider? time = null)
    {
        var now = (time ?? TimeProvider.System).GetUtcNow();
        using var caKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var caRequest = new CertificateRequest("CN=imapsync test authority", caKey, HashAlgorithmName.SHA256);
        caRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        caRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        caRequest.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(caRequest.PublicKey, critical: false));
        using var ca = caRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(ca, true, false));
        using var certificate = request.Create(ca, now.AddDays(-1), now.AddDays(29), RandomNumberGenerator.GetBytes(12));

        var made = new TestAuthority(
            directory, now, certificate.GetCertHashString(HashAlgorithmName.SHA256), ca.ExportCertificatePem(), caKey.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(made.CaFile, ca.ExportCertificatePem() + "\n");
        File.WriteAllText(made.CertificateFile, certificate.ExportCertificatePem() + "\n");
        File.WriteAllText(made.KeyFile, key.ExportPkcs8PrivateKeyPem() + "\n");
        return made;
    }

    /// <summary>Issues a certificate, with its key, for a server with these names.</summary>
    public X509Certificate2 IssueServer(params IEnumerable<string> names)
    {
        using var ca = X509Certificate2.CreateFromPem(caCertificate, caKey);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=a server of the test", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
            alternatives.AddDnsName(name);
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        using var certificate = request.Create(ca, now.AddDays(-1), now.AddDays(29), RandomNumberGenerator.GetBytes(12));
        return certificate.CopyWithPrivateKey(key);
    }

    /// <summary>Issues a certificate for a client, in the files <c>NAME.pem</c> and <c>NAME.key</c>.</summary>
    public (string CertificateFile, string KeyFile) IssueClient(string name)
    {
        using var ca = X509Certificate2.CreateFromPem(caCertificate, caKey);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        using var certificate = request.Create(ca, now.AddDays(-1), now.AddDays(29), RandomNumberGenerator.GetBytes(12));
        var (file, keyFile) = (Path.Combine(directory, name + ".pem"), Path.Combine(directory, name + ".key"));
        File.WriteAllText(file, certificate.ExportCertificatePem() + "\n");
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem() + "\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(keyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return (file, keyFile);
    }
}
