using System.Text;
using Imapsync.Imap.Sasl;
using Imapsync.Imap.Tests.Connection;

namespace Imapsync.Imap.Tests.Commands;

public sealed class LogInTests
{
    private const string Password = "s3cret \"w\\ord";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LOGIN_quotes_what_needs_quoting_and_learns_the_new_capabilities()
    {
        await using var session = await Session.OpenAsync();
        var login = session.Client.LogInAsync(new ImapCredentials("DOMAIN\\admin\\alice", Password), Token);
        await session.Server.AnswerAsync("LOGIN \"DOMAIN\\\\admin\\\\alice\" \"s3cret \\\"w\\\\ord\"");
        await session.Server.AnswerAsync("CAPABILITY", "* CAPABILITY IMAP4rev1 MOVE");
        await login;
        Assert.True(session.Client.Capabilities.HasMove);
        AssertNotTraced(session, Password);
    }

    [Fact]
    public async Task A_password_beyond_ASCII_goes_as_a_literal_of_its_UTF8_octets()
    {
        await using var session = await Session.OpenAsync();
        var login = session.Client.LogInAsync(new ImapCredentials("alice", "schlüssel"), Token);
        var tag = await session.Server.ExpectAsync("LOGIN \"alice\" {10}", Token);
        await session.Server.SendAsync("+ \r\n", Token);
        Assert.Equal("schl\u00c3\u00bcssel", await session.Server.ReadOctetsAsync(10, Token));
        await session.Server.ReadLineAsync(Token);
        await session.Server.SendAsync($"{tag} OK [CAPABILITY IMAP4rev1] in\r\n", Token);
        await login;
        AssertNotTraced(session, "schl");
    }

    [Theory]
    [InlineData("IMAP4rev1 AUTH=PLAIN SASL-IR", true)]
    [InlineData("IMAP4rev1 AUTH=PLAIN", false)]
    public async Task PLAIN_acts_for_another_mailbox_with_and_without_initial_response(string capabilities, bool atOnce)
    {
        await using var session = await Session.OpenAsync(capabilities);
        var login = session.Client.LogInAsync(new ImapCredentials("admin", Password, null, "alice"), Token);
        var response = Convert.ToBase64String(Encoding.UTF8.GetBytes($"alice\0admin\0{Password}"));
        var tag = await session.Server.ExpectAsync("AUTHENTICATE PLAIN" + (atOnce ? " " + response : ""), Token);
        if (!atOnce)
        {
            await session.Server.SendAsync("+ \r\n", Token);
            Assert.Equal(response, await session.Server.ReadLineAsync(Token));
        }

        await session.Server.SendAsync($"{tag} OK [CAPABILITY IMAP4rev1] in\r\n", Token);
        await login;
        AssertNotTraced(session, Password, response);
    }

    [Fact]
    public async Task A_refusal_that_repeats_the_password_is_told_without_it()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 AUTH=PLAIN SASL-IR");
        var login = session.Client.LogInAsync(new ImapCredentials("alice", "hunter2"), Token);
        var line = await session.Server.ReadLineAsync(Token);
        await session.Server.SendAsync($"{line!.Split(' ')[0]} NO [AUTHENTICATIONFAILED] hunter2 is wrong\r\n", Token);
        var refused = await Assert.ThrowsAsync<ImapCommandException>(() => login);
        Assert.DoesNotContain("hunter2", refused.ToString(), StringComparison.Ordinal);
        AssertNotTraced(session, "hunter2");
        var noop = session.Client.NoopAsync(Token);
        await session.Server.AnswerAsync("NOOP");
        await noop;
    }

    [Fact]
    public async Task What_a_server_says_of_a_token_comes_with_its_refusal_and_without_the_token()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 AUTH=OAUTHBEARER SASL-IR");
        var login = session.Client.LogInAsync(new ImapCredentials("alice", "hunter2", "OAUTHBEARER"), Token);
        var tag = (await session.Server.ReadLineAsync(Token))!.Split(' ')[0];
        var said = Convert.ToBase64String(Encoding.UTF8.GetBytes("""{"status":"invalid_token","scope":"hunter2 is none"}"""));
        await session.Server.SendAsync($"+ {said}\r\n", Token);
        Assert.Equal("AQ==", await session.Server.ReadLineAsync(Token));
        await session.Server.SendAsync($"{tag} NO [AUTHENTICATIONFAILED] no\r\n", Token);
        var refused = await Assert.ThrowsAsync<ImapCommandException>(() => login);
        Assert.Equal(new TokenRefusal("invalid_token", "(secret) is none"), refused.TokenRefusal);
        AssertNotTraced(session, "hunter2");
    }

    [Fact]
    public async Task An_exchange_refused_in_the_middle_is_over()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 AUTH=CRAM-MD5 LOGINDISABLED");
        var login = session.Client.LogInAsync(new ImapCredentials("tim", "tanstaaftanstaaf"), Token);
        var tag = await session.Server.ExpectAsync("AUTHENTICATE CRAM-MD5", Token);
        await session.Server.SendAsync("+ PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\r\n", Token);
        // This is the response in the example of RFC 2195 §2.
        Assert.Equal("dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw", await session.Server.ReadLineAsync(Token));
        await session.Server.SendAsync($"{tag} NO no\r\n", Token);
        await Assert.ThrowsAsync<ImapCommandException>(() => login);
        var noop = session.Client.NoopAsync(Token);
        await session.Server.AnswerAsync("NOOP");
        await noop;
    }

    [Theory]
    [InlineData("IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-256 AUTH=CRAM-MD5 AUTH=PLAIN", "AUTHENTICATE PLAIN AGFsaWNlAHg=")]
    [InlineData("IMAP4rev1 SASL-IR AUTH=CRAM-MD5 AUTH=LOGIN", "LOGIN \"alice\" \"x\"")]
    public async Task A_refused_challenge_is_followed_by_the_password_once(string capabilities, string then)
    {
        await using var session = await Session.OpenAsync(capabilities, host: "localhost");
        var login = session.Client.LogInAsync(new ImapCredentials("alice", "x"), Token);
        await RefuseAsync(session, "AUTHENTICATE");
        var line = (await session.Server.ReadLineAsync(Token))!;
        Assert.Equal(then, line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
        await session.Server.SendAsync($"{line.Split(' ')[0]} NO [AUTHENTICATIONFAILED] wrong\r\n", Token);
        await Assert.ThrowsAsync<ImapCommandException>(() => login);
        var noop = session.Client.NoopAsync(Token);
        await session.Server.AnswerAsync("NOOP");
        await noop;
    }

    [Theory]
    [InlineData("imap.example.com", null, "NO no")]
    [InlineData("localhost", "SCRAM-SHA-256", "NO no")]
    [InlineData("localhost", null, "NO [UNAVAILABLE] later")]
    public async Task The_password_does_not_follow(string host, string? mechanism, string refusal)
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-256 AUTH=PLAIN", host: host);
        var login = session.Client.LogInAsync(new ImapCredentials("alice", "x", mechanism), Token);
        await RefuseAsync(session, "AUTHENTICATE SCRAM-SHA-256", refusal);
        await Assert.ThrowsAsync<ImapCommandException>(() => login);
    }

    [Theory]
    [InlineData("IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2", null, null, "only XOAUTH2 is offered: this server wants a token")]
    [InlineData("IMAP4rev1 LOGINDISABLED", null, null, "offers nothing")]
    [InlineData("IMAP4rev1 LOGINDISABLED AUTH=PLAIN", "LOGIN", null, "LOGIN disabled")]
    [InlineData("IMAP4rev1 AUTH=CRAM-MD5 AUTH=SCRAM-SHA-256", null, "bob", "can act for bob")]
    public async Task Where_nothing_fits_nothing_is_sent(string capabilities, string? mechanism, string? authorizeAs, string word)
    {
        await using var session = await Session.OpenAsync(capabilities);
        var refused = await Assert.ThrowsAsync<ImapLogInException>(
            () => session.Client.LogInAsync(new ImapCredentials("alice", Password, mechanism, authorizeAs), Token));
        Assert.Contains(word, refused.Message, StringComparison.Ordinal);
        Assert.Null(await session.Server.ReadLineAsync(Token));
    }

    [Theory]
    [InlineData("IMAP4rev1 AUTH=GSSAPI AUTH=NTLM AUTH=PLAIN AUTH=CRAM-MD5 AUTH=DIGEST-MD5 AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-512", null, "SCRAM-SHA-512 SCRAM-SHA-1 DIGEST-MD5 CRAM-MD5 PLAIN  NTLM")]
    [InlineData("IMAP4rev1 AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=DIGEST-MD5", "bob", "DIGEST-MD5 PLAIN")]
    [InlineData("IMAP4rev1 LOGINDISABLED AUTH=LOGIN AUTH=GSSAPI", null, "LOGIN")]
    public void The_strongest_comes_first_and_carries_what_it_has_to(string capabilities, string? authorizeAs, string names) =>
        Assert.Equal(names, string.Join(' ', SaslChoice.Candidates(new ImapCredentials("alice", "x", null, authorizeAs), new ImapCapabilities(capabilities.Split(' ')))));

    [Fact]
    public async Task What_SASLprep_forbids_goes_by_a_mechanism_that_takes_it()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-256 AUTH=PLAIN");
        var login = session.Client.LogInAsync(new ImapCredentials("alice", "a\tb"), Token);
        var tag = await session.Server.ExpectAsync("AUTHENTICATE PLAIN " + Convert.ToBase64String("\0alice\0a\tb"u8), Token);
        await session.Server.SendAsync($"{tag} OK [CAPABILITY IMAP4rev1] in\r\n", Token);
        await login;
    }

    [Theory]
    [InlineData("IMAP4rev1 ID", false)]
    [InlineData("IMAP4rev1 ID", true)]
    public async Task Who_we_are_is_told_once_and_not_waited_for(string capabilities, bool volunteered)
    {
        await using var session = await Session.OpenAsync(capabilities);
        var login = session.Client.LogInAsync(new ImapCredentials("alice", "x"), Token);
        var tag = await session.Server.ExpectAsync("LOGIN \"alice\" \"x\"", Token);
        await session.Server.SendAsync($"{tag} OK {(volunteered ? $"[CAPABILITY {capabilities}] " : "")}in\r\n", Token);
        if (!volunteered)
            await session.Server.AnswerAsync("CAPABILITY", "* CAPABILITY " + capabilities);
        await login;
        // ID and NOOP are both sent before either is answered.
        var status = session.Client.NoopAsync(Token);
        var id = await session.Server.ExpectAsync("ID (\"name\" \"imapsync\")", Token);
        var noop = await session.Server.ExpectAsync("NOOP", Token);
        await session.Server.SendAsync($"* ID (\"name\" \"Cyrus\")\r\n{id} OK\r\n{noop} OK\r\n", Token);
        await status;
        Assert.Equal("Cyrus", (await session.Client.IdAsync(Token))["name"]);
    }

    private static async Task RefuseAsync(Session session, string command, string reply = "NO no")
    {
        var line = await session.Server.ReadLineAsync(Token);
        Assert.Contains(command, line, StringComparison.Ordinal);
        var tag = line!.Split(' ')[0];
        if (line.EndsWith("MD5", StringComparison.Ordinal))
        {
            await session.Server.SendAsync("+ PDE+\r\n", Token);
            await session.Server.ReadLineAsync(Token);
        }

        await session.Server.SendAsync($"{tag} {reply}\r\n", Token);
    }

    private static void AssertNotTraced(Session session, params string[] secrets)
    {
        string traced;
        lock (session.Trace)
            traced = string.Join('\n', session.Trace);
        Assert.NotEmpty(traced);
        foreach (var secret in secrets)
            Assert.DoesNotContain(secret, traced, StringComparison.Ordinal);
    }
}
