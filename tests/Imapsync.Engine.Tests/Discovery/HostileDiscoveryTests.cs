using System.Text;
using Imapsync.Engine.Discovery;
using Imapsync.Tests.Support;
using Imapsync.Tests.Support.Discovery;

namespace Imapsync.Engine.Tests.Discovery;

/// <summary>
/// Whatever name servers and web servers answer, discovery ends without a crash, without waiting for ever, and with few connections.
/// </summary>
public sealed class HostileDiscoveryTests
{
    private const string Address = "alice@example.com";

    [Fact]
    public async Task Answers_of_damaged_octets_are_none_and_the_rest_goes_on()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        await using var lab = new DiscoveryLab();
        lab.Names.Srv("_imaps._tcp.example.com", 0, 1, 993, "mail.example.com.").Mx("example.com", 1, "aspmx.l.google.com");
        lab.Imap("imap.example.com");
        for (var round = 0; round < 20; round++)
        {
            lab.Names.Distort = answer =>
            {
                // Keep the first two octets, which hold the query's ID, so that the answer is read at all.
                for (var damage = 0; damage < 12; damage++)
                    answer[random.Next(2, answer.Length)] = (byte)random.Next(256);
                // Clear the truncation flag (TC); otherwise the query would be repeated over TCP, where nobody listens.
                answer[2] &= 0xFD;
                return random.Next(3) == 0 ? answer[..random.Next(12, answer.Length)] : answer;
            };
            var server = (await lab.FindAsync(Address)).Server;
            Assert.True(server is null or { Host: "imap.example.com" or "mail.example.com" or "imap.gmail.com" }, $"{server} (seed {seed}, round {round})");
        }
    }

    [Fact]
    public async Task A_thousand_servers_are_not_connected_to()
    {
        await using var lab = new DiscoveryLab();
        for (var i = 0; i < 1000; i++)
            lab.Names.Srv("_imaps._tcp.example.com", i, 0, 993, $"s{i}.example.com");
        Assert.Null((await lab.FindAsync(Address)).Server);
        Assert.InRange(lab.Dialled.Count, 0, 12);
    }

    [Theory]
    [InlineData("<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">]><clientConfig><incomingServer type=\"imap\"><hostname>&b;</hostname></incomingServer></clientConfig>")]
    [InlineData("<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><clientConfig/>")]
    [InlineData("<clientConfig><incomingServer type=\"imap\">")]
    [InlineData("not XML at all")]
    [InlineData("")]
    public void A_document_that_is_not_as_it_should_be_has_no_servers(string document) =>
        Assert.Empty(AutoconfigDocument.Read(new MemoryStream(Encoding.UTF8.GetBytes(document)), Address));

    [Theory]
    [InlineData("hostname", "127.0.0.1")]
    [InlineData("hostname", "imap.example.com/../x")]
    [InlineData("hostname", "imap.exa&#27;mple.com")]
    [InlineData("port", "0")]
    [InlineData("port", "99999")]
    [InlineData("port", "-1")]
    [InlineData("socketType", "plain")]
    [InlineData("socketType", "")]
    public void A_server_with_a_field_that_is_not_good_is_left_out(string field, string value)
    {
        string Field(string name, string good) => $"<{name}>{(name == field ? value : good)}</{name}>";
        string Server(bool isGood) => "<incomingServer type=\"imap\">" + (isGood ? "<hostname>good.example.com</hostname><port>993</port><socketType>SSL</socketType>"
            : Field("hostname", "bad.example.com") + Field("port", "993") + Field("socketType", "SSL")) + "</incomingServer>";
        var read = AutoconfigDocument.Read(new MemoryStream(Encoding.UTF8.GetBytes($"<clientConfig>{Server(false)}{Server(true)}</clientConfig>")), Address);
        // A control character makes the whole document ill-formed, so the list of servers may be empty.
        Assert.DoesNotContain(read, s => s.Host != "good.example.com");
    }

    [Fact]
    public void Depth_length_and_number_of_servers_are_bounded()
    {
        static int Count(string document) => AutoconfigDocument.Read(new MemoryStream(Encoding.UTF8.GetBytes(document)), Address).Length;
        const string server = "<incomingServer type=\"imap\"><hostname>imap.example.com</hostname><port>993</port><socketType>SSL</socketType></incomingServer>";
        Assert.Equal(1, Count($"<c>{server}</c>"));
        Assert.Equal(0, Count(string.Concat(Enumerable.Repeat("<c>", 100)) + server));
        Assert.InRange(Count($"<c>{string.Concat(Enumerable.Repeat(server, 500))}</c>"), 1, 16);
        Assert.Equal(0, Count($"<c><x>{new string('x', 2 * AutoconfigDocument.MaxBytes)}</x>{server}</c>"));
    }

    [Fact]
    public async Task A_document_without_an_end_is_none()
    {
        await using var lab = new DiscoveryLab();
        lab.Web("example.com", null, _ => "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<c>" + new string(' ', 4 << 20));
        lab.Imap("imap.example.com");
        Assert.Equal(FoundBy.Guess, (await lab.FindAsync(Address)).Server!.By);
    }

    [Fact]
    public async Task Cancelling_ends_it_while_nobody_answers()
    {
        await using var lab = new DiscoveryLab();
        lab.Silent("imap.example.com", 993);
        using var stop = new CancellationTokenSource();
        var finding = new MailDiscovery(new DiscoveryOptions
        {
            NameServer = lab.Names.EndPoint,
            Web = new NoWeb(),
            Proof = new ServerProof(TimeProvider.System)
            {
                Dial = async (_, _, c) =>
                {
                    await stop.CancelAsync();
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, c);
                    return Stream.Null;
                },
            },
        }).FindAsync(Address, stop.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => finding);
    }

    private sealed class NoWeb : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(System.Net.HttpStatusCode.NotFound));
    }
}
