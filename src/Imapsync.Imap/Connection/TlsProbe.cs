using System.Net.Security;
using System.Security.Authentication;

namespace Imapsync.Imap.Connection;

/// <summary>
/// Finds out, on a separate connection, whether a port that sends no greeting expects TLS. The probe accepts no
/// certificate and sends no IMAP command.
/// </summary>
internal static class TlsProbe
{
    /// <summary>
    /// How long to wait for a greeting before probing. Probing a server that greets later does no harm.
    /// </summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(3);

    /// <summary>Waits for the greeting, and probes the port for TLS if none comes.</summary>
    /// <exception cref="ImapConnectionException">The port speaks TLS.</exception>
    public static async Task AwaitGreetingAsync(Task greeting, ImapClientOptions options, CancellationToken cancellationToken)
    {
        using var greeted = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var silence = Task.Delay(Silence, options.Time, greeted.Token);
        if (await Task.WhenAny(greeting, silence) == silence && !cancellationToken.IsCancellationRequested)
        {
            var probe = SpeaksTlsAsync(options, greeted.Token);
            if (await Task.WhenAny(greeting, probe) == probe && await probe)
                throw FirstOctets.SpeaksTls(options);
        }

        await greeted.CancelAsync();
        await greeting.WaitAsync(cancellationToken);
    }

    private static async Task<bool> SpeaksTlsAsync(ImapClientOptions options, CancellationToken cancellationToken)
    {
        var showedCertificate = false;
        try
        {
            await using var network = await TcpConnector.ConnectAsync(options, cancellationToken);
            await using var tls = new SslStream(network, leaveInnerStreamOpen: false);
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = options.Host,
                    RemoteCertificateValidationCallback = (_, _, _, _) =>
                    {
                        showedCertificate = true;
                        return false;
                    },
                },
                cancellationToken);
        }
        catch (Exception e) when (e is AuthenticationException or IOException or OperationCanceledException or ImapConnectionException or ObjectDisposedException)
        {
            // Either the certificate was refused, as intended, or the port does not speak TLS.
        }

        return showedCertificate;
    }
}
