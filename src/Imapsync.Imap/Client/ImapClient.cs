using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Client;

/// <summary>
/// One connection to an IMAP server, for one caller. Each method sends one command and tells what came of it;
/// nothing is ever tried again here. All throw <see cref="ImapCommandException"/> (NO, BAD: the connection goes on),
/// <see cref="ImapProtocolException"/> and <see cref="ImapConnectionException"/> (make a new connection).
/// A cancelled call leaves the connection usable only if nothing of the command had been sent: dispose it.
/// </summary>
public sealed partial class ImapClient : IAsyncDisposable
{
    private readonly ImapConnection connection;
    private readonly ImapClientOptions options;

    private ImapClient(ImapConnection connection, ImapClientOptions options)
    {
        this.connection = connection;
        this.options = options;
    }

    /// <summary>As last told by the server; after log-in those of the logged-in user.</summary>
    public ImapCapabilities Capabilities => connection.Capabilities ?? ImapCapabilities.None;

    /// <summary>The greeting's text, for recognising the server.</summary>
    public string Greeting { get; private set; } = "";

    /// <summary>The greeting was PREAUTH: no log-in is needed or possible.</summary>
    public bool IsPreAuthenticated { get; private set; }

    public bool IsBroken => connection.IsBroken;

    /// <summary>Why it is broken, else null.</summary>
    public Exception? BreakReason => connection.BreakReason;

    /// <summary>Done, and never failed, when the connection has ended.</summary>
    public Task Ended => connection.Ended;

    /// <summary>For how long nothing has been asked for; zero while something is.</summary>
    public TimeSpan QuietTime => connection.QuietTime;

    /// <summary>It waits for what it is to send, not for the server. Tells tests when they may let time pass.</summary>
    internal bool WaitsForSource => connection.WaitsForSource;

    /// <summary>Commands answered NO or BAD so far; some servers close the connection at the tenth.</summary>
    public int Refusals => connection.Refusals;

    /// <summary>Messages in the selected folder as last told.</summary>
    public long Exists => connection.Exists;

    /// <summary>How many messages the server told to be gone from selected folders since the connection began.</summary>
    public long Expunged => connection.Expunged;

    /// <summary>Connects, puts TLS in place as asked, reads greeting and capabilities. Not logged in yet.</summary>
    public static async Task<ImapClient> ConnectAsync(ImapClientOptions options, CancellationToken cancellationToken)
    {
        var tls = new TlsLayer(options.Host, options.CaFile, options.Fingerprint, new ClientCertificate(options.ClientCertificateFile, options.ClientKeyFile));
        var network = options.Dial is { } dial ? await dial(cancellationToken) : await TcpConnector.ConnectAsync(options, cancellationToken);
        var client = await GreetAsync(network, tls, options, cancellationToken);
        try
        {
            await client.BeginAsync(tls, cancellationToken);
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Says goodbye and closes. Never throws for the network: the mail is safe already.</summary>
    public async Task LogOutAsync(CancellationToken cancellationToken)
    {
        try
        {
            await connection.ExecuteAsync(new LogoutCommand(), cancellationToken);
        }
        catch (Exception e) when (e is ImapCommandException or ImapProtocolException or ImapConnectionException)
        {
            // Gone is gone.
        }

        await DisposeAsync();
    }

    /// <summary>Closes without a word.</summary>
    public ValueTask DisposeAsync() => connection.DisposeAsync();

    private static string Redact(string text, string secret) =>
        secret.Length == 0 ? text : text.Replace(secret, "(secret)", StringComparison.Ordinal);

    /// <summary>Up to the server's first line, in a time that is bounded however slowly octets come.</summary>
    private static async Task<ImapClient> GreetAsync(Stream network, TlsLayer tls, ImapClientOptions options, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(options.GreetingTimeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        var settings = new ConnectionSettings(options.Time, options.StallTimeout, options.Limits, options.Trace, ConnectionLog.For(options));
        ImapConnection? opened = null;
        try
        {
            opened = await ImapConnection.OpenAsync(new FirstOctets(network, options), options.Tls == ImapTls.Implicit ? tls.SecureAsync : null, settings, either.Token);
            if (options.Tls == ImapTls.Implicit || options.Dial is not null)
                await opened.Greeting.Completion.WaitAsync(either.Token);
            else
                await TlsProbe.AwaitGreetingAsync(opened.Greeting.Completion, options, either.Token);
            return new ImapClient(opened, options);
        }
        catch (Exception e)
        {
            if (opened is not null)
                await opened.DisposeAsync();
            if (e is not OperationCanceledException || cancellationToken.IsCancellationRequested)
                throw;
            throw new ImapConnectionException(
                ConnectionFailure.Stall, $"{options.Address} took the connection and gave no greeting in {options.GreetingTimeout.TotalSeconds:0.###} s", e);
        }
    }

    private async Task BeginAsync(TlsLayer tls, CancellationToken cancellationToken)
    {
        var greeting = await connection.Greeting.Completion;
        Greeting = greeting.Text;
        if (greeting.Kind is not (StatusKind.Ok or StatusKind.PreAuth))
            throw new ImapConnectionException(ConnectionFailure.Bye, $"the server does not take connections: {greeting}") { Bye = greeting };
        if (options.Tls == ImapTls.StartTls)
        {
            // A session that is logged in already can't be secured any more, and whoever said PREAUTH may be in between.
            if (greeting.Kind == StatusKind.PreAuth)
                throw new ImapConnectionException(ConnectionFailure.Tls, "the server logged us in before TLS could be started, though TLS is required");
            await StartTlsAsync(tls, cancellationToken);
        }

        IsPreAuthenticated = greeting.Kind == StatusKind.PreAuth;
        await LearnCapabilitiesAsync(cancellationToken);
    }

    private async Task StartTlsAsync(TlsLayer tls, CancellationToken cancellationToken)
    {
        try
        {
            await connection.ExecuteAsync(new StartTlsCommand(tls.SecureAsync), cancellationToken);
        }
        catch (ImapCommandException e)
        {
            throw new ImapConnectionException(ConnectionFailure.Tls, $"the server refuses STARTTLS, which is required: {e.Reply}", e);
        }

        // What was said in the clear counts for nothing.
        connection.Capabilities = null;
    }

    private async Task LearnCapabilitiesAsync(CancellationToken cancellationToken)
    {
        if (connection.Capabilities is null)
            await connection.ExecuteAsync(new PlainCommand("CAPABILITY"), cancellationToken);
    }
}
