using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Imapsync.Imap.Connection;

/// <summary>
/// Wraps a stream in verified TLS 1.2 or newer. Verification can't be turned off: either host name and chain are checked against the
/// system's or a PEM file's authorities, or the certificate's SHA-256 fingerprint is pinned.
/// </summary>
internal sealed class TlsLayer(string host, string? caFile, string? fingerprint, ClientCertificate client)
{
    /// <summary>
    /// OpenSSL's messages for an incompatible client and server, where a retry would fail again. Any other message is taken as corruption
    /// in transit, where a retry may succeed.
    /// </summary>
    private static readonly string[] Disagreement =
    [
        "unsupported protocol", "protocol version", "no protocols available", "version too low", "wrong version number", "shared cipher", "handshake failure",
        "certificate", "unknown ca",
    ];

    /// <exception cref="ImapConnectionException">TLS failed; the message says what was wrong, e.g. with the certificate.</exception>
    public async ValueTask<Stream> SecureAsync(Stream plain)
    {
        ImapConnectionException? objection = null;
        var tls = new SslStream(plain, leaveInnerStreamOpen: false);
        try
        {
            var options = new SslClientAuthenticationOptions
            {
                TargetHost = host,
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                CertificateChainPolicy = ChainPolicy(),
                ClientCertificateContext = client.Load(),
                // Dovecot can't resume a TLS session that used a client certificate. With resumption every
                // connection but the first would fail.
                AllowTlsResume = !client.IsGiven,
                RemoteCertificateValidationCallback = (_, certificate, chain, errors) => (objection = Objection(certificate, chain, errors)) is null,
            };
            await tls.AuthenticateAsClientAsync(options);
            return tls;
        }
        catch (Exception e)
        {
            await tls.DisposeAsync();
            throw e switch
            {
                AuthenticationException when objection is not null => new ImapConnectionException(ConnectionFailure.Tls, objection.Message, e) { Certificate = objection.Certificate },
                AuthenticationException => new ImapConnectionException(
                    IsDisagreement(e) ? ConnectionFailure.Tls : ConnectionFailure.Network,
                    $"no TLS with {host}, TLS 1.2 or newer is required: {e.GetBaseException().Message}", e),
                CryptographicException => new ImapConnectionException(ConnectionFailure.Tls, $"the authorities in {caFile} can't be read: {e.Message}", e),
                ImapConnectionException => e,
                _ => new ImapConnectionException(ConnectionFailure.Network, $"the connection to {host} was lost in the TLS handshake: {e.Message}", e),
            };
        }
    }

    private static bool IsDisagreement(Exception e)
    {
        var words = e.GetBaseException().Message;
        return Array.Exists(Disagreement, w => words.Contains(w, StringComparison.OrdinalIgnoreCase));
    }

    private X509ChainPolicy ChainPolicy()
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck };
        if (caFile is null)
            return policy;
        if (!File.Exists(caFile))
            throw new ImapConnectionException(ConnectionFailure.Tls, $"the file of trusted authorities, {caFile}, is not there");
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.ImportFromPemFile(caFile);
        return policy;
    }

    private ImapConnectionException? Objection(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null)
            return new ImapConnectionException(ConnectionFailure.Tls, $"{host} showed no certificate");
        var shown = new RefusedCertificate(Convert.ToHexStringLower(SHA256.HashData(certificate.GetRawCertData())));
        if (fingerprint is not null)
        {
            var expected = fingerprint.Replace(":", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
            return shown.Fingerprint.Equals(expected, StringComparison.OrdinalIgnoreCase)
                ? null
                : Refuse($"the certificate of {host} has the SHA-256 fingerprint {shown.Fingerprint}, another than the one expected", shown);
        }

        if (errors == SslPolicyErrors.None)
            return null;
        var reasons = new List<string>();
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            shown = shown with { IsForOtherName = true };
            reasons.Add($"it was made for another name{CertificateText.Names(certificate)}");
        }

        foreach (var status in errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) && chain is not null ? chain.ChainStatus : [])
        {
            var isOutOfDate = status.Status.HasFlag(X509ChainStatusFlags.NotTimeValid);
            shown = isOutOfDate ? shown with { IsOutOfDate = true } : shown with { IsUnknown = true };
            var reason = status.StatusInformation.Trim().TrimEnd('.') + (isOutOfDate ? CertificateText.Dates(chain!) : "");
            if (!reasons.Contains(reason))
                reasons.Add(reason);
        }

        return Refuse($"the certificate of {host} ({certificate.Subject}) can't be trusted: {string.Join("; ", reasons)}", shown);
    }

    private static ImapConnectionException Refuse(string message, RefusedCertificate certificate) =>
        new(ConnectionFailure.Tls, message) { Certificate = certificate };
}
