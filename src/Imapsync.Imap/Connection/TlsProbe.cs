using System.Net.Security;
using System.Security.Authentication;

namespace Imapsync.Imap.Connection;

/// <summary>
/// Asks a port that does not greet whether it waits for TLS. Over a connection of its own, on which no certificate is accepted and
/// nothing of IMAP is said.
/// </summary>
internal static class TlsProbe
{
    /// <summary>Servers greet sooner, but for some that make strangers wait, and those are not disturbed by it.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(3);

    /// <summary>Waits for the greeting.</summary>
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
            // Refused by us as it should be, or no TLS.
        }

        return showedCertificate;
    }
}
