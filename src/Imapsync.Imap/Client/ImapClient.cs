using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Client;

/// <summary>
/// One connection to an IMAP server, for one caller. Each method sends one command and reports its outcome; no command is ever retried
/// here. All methods throw <see cref="ImapCommandException"/> for NO or BAD, after which the connection is still usable, and <see
/// cref="ImapProtocolException"/> or <see cref="ImapConnectionException"/>, after which a new connection is needed. After a cancelled call,
/// dispose this client, because a part of the command may have been sent.
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

    /// <summary>The capabilities the server reported last; after log-in these are the logged-in user's.</summary>
    public ImapCapabilities Capabilities => connection.Capabilities ?? ImapCapabilities.None;

    /// <summary>The text of the greeting, which helps to recognise the server's software.</summary>
    public string Greeting { get; private set; } = "";

    /// <summary>The SASL mechanism that logged in, or empty for the command LOGIN. Null before a log-in and after PREAUTH.</summary>
    public string? SignedInBy { get; private set; }

    /// <summary>Whether the greeting was PREAUTH, so that no log-in is needed or possible.</summary>
    public bool IsPreAuthenticated { get; private set; }

    public bool IsBroken => connection.IsBroken;

    /// <summary>Why the connection is broken; null if it is not.</summary>
    public Exception? BreakReason => connection.BreakReason;

    /// <summary>Completes when the connection has ended, whatever the reason; it never fails.</summary>
    public Task Ended => connection.Ended;

    /// <summary>How long no command has been in flight; zero while one is.</summary>
    public TimeSpan QuietTime => connection.QuietTime;

    /// <summary>
    /// Whether the connection waits for octets of a message that the caller sends, not for the server. Tests read this before they advance
    /// the clock.
    /// </summary>
    internal bool WaitsForSource => connection.WaitsForSource;

    /// <summary>How many commands the server has answered with NO or BAD; some servers close the connection at the tenth.</summary>
    public int Refusals => connection.Refusals;

    /// <summary>The number of messages in the selected folder, as the server reported it last.</summary>
    public long Exists => connection.Exists;

    /// <summary>How many messages the server has reported as expunged from selected folders since the connection began.</summary>
    public long Expunged => connection.Expunged;

    /// <summary>Connects, sets up TLS as the options require, and reads the greeting and the capabilities. Does not log in.</summary>
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

    /// <summary>Sends LOGOUT and closes the connection. Throws nothing if LOGOUT fails, because nothing depends on its outcome.</summary>
    public async Task LogOutAsync(CancellationToken cancellationToken)
    {
        try
        {
            await connection.ExecuteAsync(new LogoutCommand(), cancellationToken);
        }
        catch (Exception e) when (e is ImapCommandException or ImapProtocolException or ImapConnectionException)
        {
            // The connection was to be closed anyway, so a failed LOGOUT does not matter.
        }

        await DisposeAsync();
    }

    /// <summary>Closes the connection without sending LOGOUT.</summary>
    public ValueTask DisposeAsync() => connection.DisposeAsync();

    private static string Redact(string text, string secret) =>
        secret.Length == 0 ? text : text.Replace(secret, "(secret)", StringComparison.Ordinal);

    /// <summary>Waits for the server's first line. The greeting timeout bounds the wait, however slowly octets arrive.</summary>
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
            // Gives up, because STARTTLS is not allowed after PREAUTH, and an attacker on the network may have forged the PREAUTH.
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

        // Capabilities received in clear text can't be trusted, so they are discarded.
        connection.Capabilities = null;
    }

    private async Task LearnCapabilitiesAsync(CancellationToken cancellationToken)
    {
        if (connection.Capabilities is null)
            await connection.ExecuteAsync(new PlainCommand("CAPABILITY"), cancellationToken);
    }
}
