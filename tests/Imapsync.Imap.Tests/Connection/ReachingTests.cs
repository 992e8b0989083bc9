using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Imapsync.Imap.Client;
using Imapsync.Imap.Connection;
using Imapsync.Tests.Support;

namespace Imapsync.Imap.Tests.Connection;

/// <summary>Tests of connecting and waiting for the greeting, and of giving up in time.</summary>
public sealed class ReachingTests
{
    private static readonly IPAddress[] Addresses = [IPAddress.Parse("192.0.2.1"), IPAddress.Parse("192.0.2.2"), IPAddress.Parse("192.0.2.3")];

    private readonly ManualClock clock = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("* OK [CAPA")]
    public async Task A_server_that_does_not_greet_is_given_up(string said)
    {
        var (server, client) = ScriptedServer.InMemory();
        await using var _ = server;
        var connecting = ImapClient.ConnectAsync(Session.Options(client) with { Time = clock, GreetingTimeout = TimeSpan.FromSeconds(20) }, Token);
        // Single octets that arrive now and then must not extend the wait for the greeting.
        foreach (var octet in said)
            await server.SendAsync($"{octet}", Token);
        clock.Advance(TimeSpan.FromSeconds(19));
        Assert.False(connecting.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));
        var lost = await Assert.ThrowsAsync<ImapConnectionException>(() => connecting);
        Assert.Equal((ConnectionFailure.Stall, "imap.example.com:143 took the connection and gave no greeting in 20 s"), (lost.Failure, lost.Message));
    }

    [Fact]
    public async Task A_handshake_that_gets_nowhere_is_given_up()
    {
        var (server, client) = ScriptedServer.InMemory();
        await using var _ = server;
        var options = Session.Options(client) with { Tls = ImapTls.Implicit, Time = clock, GreetingTimeout = TimeSpan.FromSeconds(20) };
        var connecting = ImapClient.ConnectAsync(options, Token);
        clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(ConnectionFailure.Stall, (await Assert.ThrowsAsync<ImapConnectionException>(() => connecting)).Failure);
    }

    [Fact]
    public async Task The_address_that_answers_is_taken_and_a_dead_one_costs_a_moment()
    {
        var attempts = new Attempts();
        var racing = TcpConnector.RaceAsync(Addresses, attempts.ConnectAsync, clock, Token);
        Assert.Equal(1, attempts.Count);
        clock.Advance(TimeSpan.FromMilliseconds(250));
        await attempts.WaitForAsync(2);
        attempts[1].SetResult(new MemoryStream([2]));
        Assert.Equal(2, (await racing).ReadByte());
        // The connection that succeeded too late is closed.
        var late = new MemoryStream([1]);
        attempts[0].SetResult(late);
        Assert.True(attempts.Cancelled[0].IsCancellationRequested);
        Assert.Equal(2, attempts.Count);
    }

    [Fact]
    public async Task An_address_that_refuses_gives_way_to_the_next_at_once()
    {
        var attempts = new Attempts();
        var racing = TcpConnector.RaceAsync(Addresses, attempts.ConnectAsync, clock, Token);
        for (var i = 0; i < Addresses.Length; i++)
        {
            await attempts.WaitForAsync(i + 1);
            attempts[i].SetException(new SocketException((int)SocketError.ConnectionRefused));
        }

        Assert.Equal(SocketError.ConnectionRefused, (await Assert.ThrowsAsync<SocketException>(() => racing)).SocketErrorCode);
    }

    [Fact]
    public async Task A_port_that_nothing_listens_on_is_no_connection()
    {
        // The port is bound, so nobody else can take it, but nothing listens on it.
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var connecting = ImapClient.ConnectAsync(new ImapClientOptions("127.0.0.1", ((IPEndPoint)taken.LocalEndPoint!).Port, ImapTls.None), Token);
        Assert.Equal(ConnectionFailure.Network, (await Assert.ThrowsAsync<ImapConnectionException>(() => connecting)).Failure);
    }

    [Fact]
    public async Task Quiet_is_when_nothing_is_asked_for()
    {
        await using var session = await Session.OpenAsync();
        session.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(TimeSpan.FromMinutes(1), session.Client.QuietTime);
        var noop = session.Client.NoopAsync(Token);
        var tag = await session.Server.ExpectAsync("NOOP", Token);
        session.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(TimeSpan.Zero, session.Client.QuietTime);
        await session.Server.SendAsync($"{tag} OK\r\n", Token);
        await noop;
        session.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(TimeSpan.FromMinutes(2), session.Client.QuietTime);
    }

    private sealed class Attempts
    {
        private readonly List<TaskCompletionSource<Stream>> attempts = [];
        private readonly Channel<int> began = Channel.CreateUnbounded<int>();
        private int seen;

        public int Count => attempts.Count;

        public List<CancellationToken> Cancelled { get; } = [];

        public TaskCompletionSource<Stream> this[int index] => attempts[index];

        public Task<Stream> ConnectAsync(IPAddress address, CancellationToken cancellationToken)
        {
            attempts.Add(new TaskCompletionSource<Stream>(TaskCreationOptions.RunContinuationsAsynchronously));
            Cancelled.Add(cancellationToken);
            began.Writer.TryWrite(attempts.Count);
            return attempts[^1].Task;
        }

        public async Task WaitForAsync(int count)
        {
            while (seen < count)
                seen = await began.Reader.ReadAsync(Token);
        }
    }
}
