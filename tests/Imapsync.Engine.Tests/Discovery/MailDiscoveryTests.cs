using Imapsync.Engine.Discovery;
using Imapsync.Engine.Providers;
using Imapsync.Tests.Support.Discovery;

namespace Imapsync.Engine.Tests.Discovery;

/// <summary>Finds the IMAP server of an address, with name, web and mail servers that the test runs itself.</summary>
public sealed class MailDiscoveryTests
{
    private const string Address = "alice@example.com";
    private const string WellKnown = "/.well-known/autoconfig/mail/config-v1.1.xml";

    private static string Document(string host, int port = 993, string socket = "SSL", string user = "%EMAILADDRESS%") => $"""
        <?xml version="1.0"?>
        <clientConfig version="1.1"><emailProvider id="example.com"><domain>example.com</domain>
          <incomingServer type="pop3"><hostname>pop.example.com</hostname><port>995</port><socketType>SSL</socketType><username>x</username></incomingServer>
          <incomingServer type="imap"><hostname>{host}</hostname><port>{port}</port><socketType>{socket}</socketType><username>{user}</username></incomingServer>
        </emailProvider></clientConfig>
        """;

    [Fact]
    public async Task An_address_of_a_known_provider_needs_no_network()
    {
        await using var lab = new DiscoveryLab();
        var found = (await lab.FindAsync("Alice.B@GMail.com")).Server!;
        Assert.Equal((FoundBy.Table, "imaps://imap.gmail.com", "gmail", "Alice.B@GMail.com"), (found.By, found.Address, found.Provider!.Name, found.User));
        Assert.Equal("alice", (await lab.FindAsync("alice@me.com")).Server!.User);
        Assert.Empty(lab.Dialled);
        Assert.Empty(lab.Requested);
    }

    [Fact]
    public async Task A_service_record_leads_to_the_server_and_its_certificate_is_looked_at()
    {
        await using var lab = new DiscoveryLab();
        lab.Names.Srv("_imaps._tcp.example.com", 0, 1, 9930, "mail.example.com.");
        lab.Imap("mail.example.com", 9930);
        var found = (await lab.FindAsync(Address)).Server!;
        Assert.Equal((FoundBy.ServiceRecord, "imaps://mail.example.com:9930", true), (found.By, found.Address, found.IsVouchedFor));
        Assert.Contains("mail.example.com:9930", lab.Dialled);
    }

    [Fact]
    public async Task A_service_record_for_STARTTLS_is_good_too()
    {
        await using var lab = new DiscoveryLab();
        lab.Names.Srv("_imap._tcp.example.com", 0, 1, 143, "mail.example.com.");
        lab.Imap("mail.example.com", 143, usesStartTls: true);
        var found = (await lab.FindAsync(Address)).Server!;
        Assert.Equal(("imap://mail.example.com", true), (found.Address, found.UsesStartTls));
    }

    [Fact]
    public async Task The_lower_priority_wins_and_the_next_one_is_taken_where_it_does_not_answer()
    {
        await using var lab = new DiscoveryLab();
        lab.Names.Srv("_imaps._tcp.example.com", 20, 0, 993, "second.example.com").Srv("_imaps._tcp.example.com", 10, 0, 993, "first.example.com");
        lab.Imap("second.example.com");
        Assert.Equal("second.example.com", (await lab.FindAsync(Address)).Server!.Host);
        lab.Imap("first.example.com");
        Assert.Equal("first.example.com", (await lab.FindAsync(Address)).Server!.Host);
    }

    [Fact]
    public async Task A_server_whose_certificate_is_for_another_name_is_never_the_one()
    {
        await using var lab = new DiscoveryLab();
        lab.Names.Srv("_imaps._tcp.example.com", 0, 1, 993, "mail.example.com.");
        lab.Imap("mail.example.com", certificateName: "mail.evil.example");
        lab.Imap("imap.example.com", certificateName: "www.example.com");
        var outcome = await lab.FindAsync(Address);
        Assert.Null(outcome.Server);
        Assert.Contains(outcome.Tried, t => t.StartsWith("imaps://mail.example.com: ", StringComparison.Ordinal) && t.Contains("another name", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_host_elsewhere_that_DNS_alone_names_is_not_vouched_for()
    {
        await using var lab = new DiscoveryLab();
        lab.Names.Srv("_imaps._tcp.example.com", 0, 1, 993, "imap.hoster.example.");
        lab.Imap("imap.hoster.example");
        Assert.False((await lab.FindAsync(Address)).Server!.IsVouchedFor);
        lab.Web("example.com", WellKnown, Document("imap.hoster.example"));
        var found = (await lab.FindAsync(Address)).Server!;
        Assert.Equal((FoundBy.ServiceRecord, true), (found.By, found.IsVouchedFor));
    }

    [Fact]
    public async Task A_host_within_the_name_but_not_the_domain_is_elsewhere()
    {
        await using var lab = new DiscoveryLab();
        lab.Names.Srv("_imaps._tcp.example.com", 0, 1, 993, "notexample.com.");
        lab.Imap("notexample.com");
        Assert.False((await lab.FindAsync(Address)).Server!.IsVouchedFor);
    }

    [Fact]
    public async Task A_record_that_leads_to_a_known_provider_brings_what_is_known_of_it()
    {
        await using var lab = new DiscoveryLab();
        lab.Names.Srv("_imaps._tcp.example.com", 0, 1, 993, "imap.fastmail.com.");
        lab.Imap("imap.fastmail.com");
        var found = (await lab.FindAsync(Address)).Server!;
        Assert.Equal(("fastmail", true), (found.Provider!.Name, found.IsVouchedFor));
    }

    [Theory]
    [InlineData("autoconfig.example.com", "/mail/config-v1.1.xml")]
    [InlineData("example.com", WellKnown)]
    public async Task The_domains_own_document_says_host_port_and_user(string host, string path)
    {
        await using var lab = new DiscoveryLab();
        lab.Web(host, path, Document("imap.hoster.example", 143, "STARTTLS", "%EMAILLOCALPART%"));
        lab.Imap("imap.hoster.example", 143, usesStartTls: true);
        var found = (await lab.FindAsync(Address)).Server!;
        Assert.Equal((FoundBy.Autoconfig, "imap://imap.hoster.example", "alice", true), (found.By, found.Address, found.User, found.IsVouchedFor));
        Assert.Contains(host + path, lab.Requested);
    }

    [Fact]
    public async Task A_document_from_a_web_server_without_a_good_certificate_is_not_read()
    {
        await using var lab = new DiscoveryLab();
        lab.Web("example.com", WellKnown, Document("imap.hoster.example"), certificateName: "www.example.org");
        lab.Imap("imap.hoster.example");
        Assert.Null((await lab.FindAsync(Address)).Server);
        Assert.Empty(lab.Requested);
    }

    [Fact]
    public async Task A_document_is_followed_elsewhere_by_HTTPS_but_never_away_from_it()
    {
        await using var lab = new DiscoveryLab();
        var goal = "http://plain.example.com/config.xml";
        lab.Web("example.com", null, _ => $"HTTP/1.1 302 Found\r\nLocation: {goal}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        lab.Web("config.example.com", "/config.xml", Document("imap.hoster.example"));
        lab.Imap("imap.hoster.example");
        Assert.Null((await lab.FindAsync(Address)).Server);
        goal = "https://config.example.com/config.xml";
        Assert.Equal("imap.hoster.example", (await lab.FindAsync(Address)).Server!.Host);
    }

    [Theory]
    [InlineData("aspmx.l.google.com", "gmail")]
    [InlineData("example-com.mail.protection.outlook.com", "microsoft365")]
    [InlineData("mx01.mail.icloud.com", "icloud")]
    public async Task Mail_that_is_delivered_to_a_known_provider_lies_there(string exchanger, string provider)
    {
        await using var lab = new DiscoveryLab();
        lab.Names.Mx("example.com", 20, "backup.example.net").Mx("example.com", 10, exchanger);
        var known = ProviderTable.Find(provider)!;
        lab.Imap(known.Host!);
        var found = (await lab.FindAsync(Address)).Server!;
        Assert.Equal((FoundBy.Exchanger, provider, known.Host, true), (found.By, found.Provider!.Name, found.Host, found.IsVouchedFor));
    }

    [Fact]
    public async Task Without_any_word_of_the_domain_the_usual_names_are_tried()
    {
        await using var lab = new DiscoveryLab();
        lab.Imap("mail.example.com", 143, usesStartTls: true);
        var found = (await lab.FindAsync(Address)).Server!;
        Assert.Equal((FoundBy.Guess, "imap://mail.example.com"), (found.By, found.Address));
        lab.Imap("imap.example.com");
        Assert.Equal("imaps://imap.example.com", (await lab.FindAsync(Address)).Server!.Address);
    }

    [Fact]
    public async Task A_domain_that_denies_the_service_is_believed()
    {
        await using var lab = new DiscoveryLab();
        lab.Names.Srv("_imaps._tcp.example.com", 0, 0, 0, ".").Srv("_imap._tcp.example.com", 0, 0, 0, ".").Srv("_pop3s._tcp.example.com", 0, 1, 995, "pop.example.com.");
        lab.Imap("imap.example.com");
        var outcome = await lab.FindAsync(Address);
        Assert.Null(outcome.Server);
        Assert.Contains("example.com says that it has no IMAP, only POP3 (pop.example.com:995)", outcome.Tried);
        Assert.Empty(lab.Dialled);
    }

    [Fact]
    public async Task A_service_that_is_denied_only_without_TLS_is_found_with_it()
    {
        await using var lab = new DiscoveryLab();
        lab.Names.Srv("_imap._tcp.example.com", 0, 0, 0, ".").Srv("_imaps._tcp.example.com", 5, 0, 993, "imap.example.com.");
        lab.Imap("imap.example.com");
        Assert.Equal(FoundBy.ServiceRecord, (await lab.FindAsync(Address)).Server!.By);
    }

    [Fact]
    public async Task A_domain_in_its_own_script_is_asked_for_in_ASCII()
    {
        await using var lab = new DiscoveryLab();
        lab.Names.Srv("_imaps._tcp.xn--bcher-kva.example", 0, 0, 993, "imap.xn--bcher-kva.example");
        lab.Imap("imap.xn--bcher-kva.example");
        Assert.Equal(FoundBy.ServiceRecord, (await lab.FindAsync("alice@bücher.example")).Server!.By);
    }

    [Theory]
    [InlineData("")]
    [InlineData("alice")]
    [InlineData("@example.com")]
    [InlineData("alice@")]
    [InlineData("alice@exa mple.com")]
    [InlineData("alice@127.0.0.1")]
    [InlineData("alice@-\u001b[2J.com")]
    public async Task What_is_no_address_is_looked_for_nowhere(string address)
    {
        await using var lab = new DiscoveryLab();
        Assert.Null((await lab.FindAsync(address)).Server);
        Assert.Empty(lab.Dialled);
        Assert.Empty(lab.Requested);
    }
}
