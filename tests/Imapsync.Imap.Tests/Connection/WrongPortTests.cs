using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Imapsync.Imap.Client;
using Imapsync.Tests.Support;

namespace Imapsync.Imap.Tests.Connection;

/// <summary>
/// Wrong ports fail at once and without a retry: TLS to a clear-text port, clear text to a TLS port, and ports of other protocols.
/// </summary>
public sealed class WrongPortTests
{
    private static readonly string[] Greetings = ["* OK ready\r\n", "* PREAUTH hello\r\n", "* OK [CAPABILITY IMAP4rev1] x\r\n"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_greeting_where_TLS_is_due_says_which_URL_is_right_however_it_comes_in_pieces()
    {
        var random = new Random(Seeds.Next());
        foreach (var greeting in Greetings)
        {
            var refused = await RefusedAsync(ImapTls.Implicit, Encoding.Latin1.GetBytes(greeting), random);
            Assert.Equal((ConnectionFailure.Tls, ImapTls.StartTls), (refused.Failure, refused.SpeaksInstead));
        }
    }

    [Theory]
    [InlineData(ImapTls.StartTls)]
    [InlineData(ImapTls.None)]
    public async Task TLS_where_a_greeting_is_due_says_which_URL_is_right_however_it_comes_in_pieces(ImapTls tls)
    {
        var random = new Random(Seeds.Next());
        byte[][] records = [[0x15, 3, 1, 0, 2, 2, 70], [0x15, 3, 3, 0, 2, 2, 40], [0x16, 3, 3, 0, 122, 2, 0, 0, 118]];
        foreach (var record in records)
        {
            var refused = await RefusedAsync(tls, record, random);
            Assert.Equal((ConnectionFailure.Tls, ImapTls.Implicit), (refused.Failure, refused.SpeaksInstead));
        }
    }

    [Theory]
    [InlineData("+OK POP3 ready\r\n", "POP3")]
    [InlineData("220 mail.example.com ESMTP\r\n", "SMTP")]
    [InlineData("220-FTP\r\n", "FTP")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP")]
    [InlineData("SSH-2.0-OpenSSH\r\n", "SSH")]
    public async Task Another_servers_port_is_called_so(string greeting, string protocol)
    {
        foreach (var tls in Enum.GetValues<ImapTls>())
        {
            var refused = await RefusedAsync(tls, Encoding.Latin1.GetBytes(greeting), new Random(Seeds.Next()));
            Assert.Equal((ConnectionFailure.Tls, null), (refused.Failure, refused.SpeaksInstead));
            Assert.Contains(protocol, refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_server_too_busy_for_TLS_may_be_asked_again()
    {
        var refused = await RefusedAsync(ImapTls.Implicit, "* BYE too busy\r\n"u8.ToArray(), new Random(Seeds.Next()));
        Assert.Equal(ConnectionFailure.Network, refused.Failure);
    }

    [Theory]
    [InlineData(ImapTls.StartTls)]
    [InlineData(ImapTls.None)]
    public async Task A_port_that_waits_in_silence_for_TLS_is_found_out_and_hears_no_word_of_IMAP(ImapTls tls)
    {
        var heard = new List<byte[]>();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeAsync(listener, heard);
        var clock = new ManualClock();
        var patience = TimeSpan.FromDays(30);
        var connecting = ImapClient.ConnectAsync(
            new ImapClientOptions("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, tls)
            {
                Time = clock,
                ConnectTimeout = patience,
                GreetingTimeout = patience,
                StallTimeout = patience,
            },
            Token);
        while (!connecting.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(connecting, Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Token));
        }

        var refused = await Assert.ThrowsAsync<ImapConnectionException>(() => connecting);
        Assert.Equal((ConnectionFailure.Tls, ImapTls.Implicit), (refused.Failure, refused.SpeaksInstead));
        listener.Stop();
        await serving;
        Assert.Empty(heard);
    }

    private static async Task<ImapConnectionException> RefusedAsync(ImapTls tls, byte[] octets, Random random)
    {
        var (server, stream) = ScriptedServer.InMemory();
        await using var _ = server;
        var connecting = ImapClient.ConnectAsync(Session.Options(stream) with { Tls = tls }, Token);
        for (var at = 0; at < octets.Length;)
        {
            var piece = Math.Min(random.Next(1, 6), octets.Length - at);
            await server.SendAsync(Encoding.Latin1.GetString(octets, at, piece), Token);
            at += piece;
        }

        return await Assert.ThrowsAsync<ImapConnectionException>(() => connecting);
    }

    /// <param name="heard">The octets received over TLS.</param>
    private static async Task ServeAsync(TcpListener listener, List<byte[]> heard)
    {
        using var certificate = TlsTests.Certificate("imap.example.com");
        var open = new List<Task>();
        try
        {
            while (true)
                open.Add(TalkAsync(await listener.AcceptTcpClientAsync(Token), certificate, heard));
        }
        // The listener was stopped, either while accepting or before.
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            await Task.WhenAll(open);
        }
    }

    private static async Task TalkAsync(TcpClient client, X509Certificate2 certificate, List<byte[]> heard)
    {
        using var _ = client;
        try
        {
            await using var tls = new SslStream(client.GetStream());
            await tls.AuthenticateAsServerAsync(certificate);
            var buffer = new byte[1000];
            if (await tls.ReadAsync(buffer, Token) is > 0 and var read)
                heard.Add(buffer[..read]);
        }
        catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
        {
            // The client closed the connection.
        }
    }
}
