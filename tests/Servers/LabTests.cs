using System.Net;
using System.Net.Sockets;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Tests of the test tools (proxy, probe, readers), so that the other tests can rely on them.</summary>
public sealed class LabTests
{
    [Fact]
    public async Task What_the_generator_writes_is_what_Dovecot_shows_over_IMAP()
    {
        using var dir = new TempDir();
        MailGenerator.Fill(dir["mail"], new MailboxPlan { Messages = 300, AwkwardNames = true, AwkwardMessages = true });
        await using var server = await DovecotServer.StartAsync(dir["server"], new DovecotOptions { Maildir = dir["mail"] });
        await server.TakeOwnershipAsync(dir["mail"]);

        await using var probe = await ImapProbe.ConnectAsync(server, "alice");
        var shown = await probe.SnapshotAsync();

        Assert.Equal(300 + AwkwardMail.FolderNames.Length + AwkwardMail.Messages().Count(), shown.MessageCount);
        Assert.Equal("", shown.DifferenceFrom(MaildirReader.Read(dir["mail"])));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(7, false)]
    [InlineData(64 * 1024, true)]
    public async Task A_line_is_cut_after_exactly_the_octets_asked_for(int pieceBytes, bool withFin)
    {
        using var dir = new TempDir();
        await using var server = await DovecotServer.StartAsync(dir["server"]);
        await using var line = FaultProxy.Start(
            server.Port, new FaultRules { CutAfterFromServer = 17, CutWithFin = withFin, PieceBytes = pieceBytes, MostFaults = 1 });
        var calledAt = 0L;
        line.CallAfterFromServer(5, () => calledAt = line.TotalFromServer);

        Assert.Equal(17, await CountUntilEndAsync(line.Port));
        Assert.Equal((17, true), (line.Connections[0].FromServer, line.Connections[0].WasCut));
        Assert.Equal(5, calledAt);

        // The proxy may cut only one connection and has done so, so this connection works.
        await using var probe = await ImapProbe.ConnectAsync(line.Port, "alice", server.Password);
        await probe.CommandAsync("NOOP");
        Assert.Contains("NOOP", line.Commands);
        Assert.Single(line.Faults);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task While_the_server_holds_on_to_a_broken_connection_nothing_passes_over_another(bool withReset)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var line = FaultProxy.Start(((IPEndPoint)listener.LocalEndpoint).Port);
        using var broken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await broken.ConnectAsync(IPAddress.Loopback, line.Port);
        using var serversBroken = await listener.AcceptSocketAsync();
        await other.ConnectAsync(IPAddress.Loopback, line.Port);
        using var serversOther = await listener.AcceptSocketAsync();

        broken.LingerState = new LingerOption(withReset, 0);
        broken.Dispose();
        await other.SendAsync("looks"u8.ToArray());

        // The proxy must not pass on the other connection's octets yet, because the server has not yet closed its end of the broken one.
        var buffer = new byte[5];
        Assert.Equal(0, await serversBroken.ReceiveAsync(buffer));
        Assert.False(serversOther.Poll(TimeSpan.FromMilliseconds(200), SelectMode.SelectRead));
        serversBroken.Dispose();
        Assert.Equal(5, await serversOther.ReceiveAsync(buffer));
    }

    [Fact]
    public async Task Broken_connections_do_not_wait_for_each_other()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        // The line is slow, so both connections are cut while some of their octets are in transit.
        await using var line = FaultProxy.Start(((IPEndPoint)listener.LocalEndpoint).Port, new FaultRules { BytesPerSecond = 20_000 });
        var clients = new List<Socket>();
        var received = new List<Task<int>>();
        for (var i = 0; i < 2; i++)
        {
            clients.Add(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
            await clients[i].ConnectAsync(IPAddress.Loopback, line.Port);
            received.Add(CountToEndAsync(await listener.AcceptSocketAsync()));
            await clients[i].SendAsync(new byte[10_000]);
        }

        clients.ForEach(c => c.Dispose());

        var counts = await Task.WhenAll(received);
        Assert.Equal([10_000, 10_000], counts);

        static async Task<int> CountToEndAsync(Socket server)
        {
            using var own = server;
            var (total, count, buffer) = (0, 0, new byte[4096]);
            while ((count = await server.ReceiveAsync(buffer)) > 0)
                total += count;
            return total;
        }
    }

    [Fact]
    public async Task A_server_started_again_has_its_ports_and_mail_and_what_was_changed_meanwhile()
    {
        using var dir = new TempDir();
        await using var server = await DovecotServer.StartAsync(dir["server"]);
        await using (var probe = await ImapProbe.ConnectAsync(server, "alice"))
            await probe.AppendAsync("INBOX", MailGenerator.Message(1), "\\Seen todo", MailGenerator.Date(1));
        var port = server.Port;

        await server.RestartAsync(options: server.Options with { Capability = "IMAP4rev1 UIDPLUS" });

        await using var again = await ImapProbe.ConnectAsync(server, "alice");
        var message = Assert.Single(await again.FetchAsync("INBOX")).Message;
        Assert.Equal(("\\Seen todo", MailGenerator.Date(1), port), (message.Flags, message.InternalDate, server.Port));
        Assert.Contains(await again.CommandAsync("CAPABILITY"), r => r.Text == "* CAPABILITY IMAP4rev1 UIDPLUS");
    }

    [Fact]
    public void A_difference_between_mailboxes_names_folder_message_and_what_differs()
    {
        var message = new SnapshotMessage(new string('a', 64), 10, "\\Seen", MailGenerator.Date(1));
        var one = new MailboxSnapshot();
        one.Add("INBOX", true, [message, message]);
        var other = new MailboxSnapshot();
        other.Add("INBOX", true, [message, message with { Flags = "" }]);
        var fewer = new MailboxSnapshot();
        fewer.Add("INBOX", false, [message]);

        Assert.Equal("", one.DifferenceFrom(one));
        Assert.Contains("(\\Seen)", other.DifferenceFrom(one), StringComparison.Ordinal);
        Assert.Contains("INBOX: missing aaaaaaaaaaaa", fewer.DifferenceFrom(one), StringComparison.Ordinal);
        Assert.Contains("INBOX: not subscribed", fewer.DifferenceFrom(one), StringComparison.Ordinal);
        Assert.Contains("INBOX: unexpected", one.DifferenceFrom(new MailboxSnapshot()), StringComparison.Ordinal);
    }

    private static async Task<int> CountUntilEndAsync(int port)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        var (buffer, count) = (new byte[1024], 0);
        try
        {
            int read;
            while ((read = await client.GetStream().ReadAsync(buffer, TestContext.Current.CancellationToken)) > 0)
                count += read;
        }
        catch (IOException)
        {
            // The connection was reset, as expected.
        }

        return count;
    }
}
