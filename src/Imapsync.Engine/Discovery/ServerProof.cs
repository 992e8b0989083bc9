using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Discovery;

/// <summary>Looks whether an IMAP server is where one is said to be, with a certificate that is good for its name. Nobody signs in.</summary>
public sealed class ServerProof(TimeProvider time)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>PEM file of the authorities to trust in place of the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>Makes the connection to a host and port; null for TCP.</summary>
    public Func<string, int, CancellationToken, ValueTask<Stream>>? Dial { get; init; }

    /// <summary>Null where it is good, else why it is not.</summary>
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
