using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Imapsync.Notifying;

/// <summary>Which certificates are trusted: those of the system's authorities, or of a file's authorities instead. Verification can't be turned off.</summary>
internal static class TrustedAuthorities
{
    /// <param name="file">A PEM file of authorities; null for the system's.</param>
    /// <exception cref="NoticeException">The file does not exist.</exception>
    public static X509ChainPolicy Policy(string? file)
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck };
        if (file is null)
            return policy;
        if (!File.Exists(file))
            throw new NoticeException($"the file of trusted authorities, {file}, is not there", isTransient: false);
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.ImportFromPemFile(file);
        return policy;
    }

    /// <summary>Returns the check of <see cref="Policy"/> as a callback, for a client library that does not accept a policy.</summary>
    public static RemoteCertificateValidationCallback Check(X509ChainPolicy policy) => (_, certificate, sent, errors) =>
    {
        if (policy.TrustMode == X509ChainTrustMode.System)
            return errors == SslPolicyErrors.None;
        if (certificate is null || (errors & (SslPolicyErrors.RemoteCertificateNameMismatch | SslPolicyErrors.RemoteCertificateNotAvailable)) != SslPolicyErrors.None)
            return false;
        using var chain = new X509Chain { ChainPolicy = policy.Clone() };
        foreach (var element in sent?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        using var whole = new X509Certificate2(certificate);
        return chain.Build(whole);
    };
}
