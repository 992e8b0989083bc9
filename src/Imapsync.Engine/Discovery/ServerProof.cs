using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Discovery;

/// <summary>Checks whether an IMAP server is reachable and has a certificate valid for its host name. It does not sign in.</summary>
public sealed class ServerProof(TimeProvider time)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>A PEM file of the certificate authorities to trust instead of the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>Opens the connection to a host and port; null for plain TCP.</summary>
    public Func<string, int, CancellationToken, ValueTask<Stream>>? Dial { get; init; }

    /// <summary>Returns null when the server and its certificate are valid, otherwise the reason why they are not.</summary>
    public async Task<ImapConnectionException?> WhyNotAsync(string host, int port, bool usesStartTls, CancellationToken cancellationToken)
    {
        var options = new ImapClientOptions(host, port, usesStartTls ? ImapTls.StartTls : ImapTls.Implicit)
        {
            CaFile = CaFile,
            ConnectTimeout = Timeout,
            GreetingTimeout = Timeout,
            StallTimeout = Timeout,
            Time = time,
            Dial = Dial is { } dial ? c => dial(host, port, c) : null,
        };
        try
        {
            await using var client = await ImapClient.ConnectAsync(options, cancellationToken);
            return null;
        }
        catch (ImapConnectionException e)
        {
            return e;
        }
        catch (Exception e) when (e is ImapCommandException or ImapProtocolException or IOException)
        {
            return new ImapConnectionException(ConnectionFailure.Network, e.Message, e);
        }
    }
}
