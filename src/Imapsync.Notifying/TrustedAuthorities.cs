using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Imapsync.Notifying;

/// <summary>Whose certificates count: the system's authorities, or those of a file in their place. There is no way to check nothing.</summary>
internal static class TrustedAuthorities
{
    /// <param name="file">PEM; null for the system's.</param>
    /// <exception cref="NoticeException"/>
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

    /// <summary>For who checks a chain by a callback alone.</summary>
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
