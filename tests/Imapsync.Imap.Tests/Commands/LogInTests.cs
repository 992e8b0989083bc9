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
    public async Task An_exchange_refused_in_the_middle_is_over()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 AUTH=CRAM-MD5 LOGINDISABLED");
        var login = session.Client.LogInAsync(new ImapCredentials("tim", "tanstaaftanstaaf"), Token);
        var tag = await session.Server.ExpectAsync("AUTHENTICATE CRAM-MD5", Token);
        await session.Server.SendAsync("+ PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\r\n", Token);
        // RFC 2195 §2.
        Assert.Equal("dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw", await session.Server.ReadLineAsync(Token));
        await session.Server.SendAsync($"{tag} NO no\r\n", Token);
        await Assert.ThrowsAsync<ImapCommandException>(() => login);
        var noop = session.Client.NoopAsync(Token);
        await session.Server.AnswerAsync("NOOP");
        await noop;
    }

    [Fact]
    public void SCRAM_SHA_256_speaks_as_in_RFC_7677()
    {
        var scram = new ScramSha256Mechanism(null, "user", "pencil", "rOprNGfwEbeRWgbNEkqO");
        Assert.Equal("n,,n=user,r=rOprNGfwEbeRWgbNEkqO", Text(scram.InitialResponse!));
        Assert.Equal(
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            Text(scram.Next(Encoding.UTF8.GetBytes("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"))));
        Assert.Empty(scram.Next(Encoding.UTF8.GetBytes("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")));
    }

    [Theory]
    [InlineData("r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")]
    [InlineData("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=999999999")]
    [InlineData("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==")]
    [InlineData("")]
    public void SCRAM_SHA_256_does_not_go_along_with_nonsense(string challenge) =>
        Assert.Throws<SaslException>(() => new ScramSha256Mechanism(null, "user", "pencil", "rOprNGfwEbeRWgbNEkqO").Next(Encoding.UTF8.GetBytes(challenge)));

    [Fact]
    public void A_server_that_does_not_know_the_password_is_found_out()
    {
        var scram = new ScramSha256Mechanism(null, "user", "pencil", "rOprNGfwEbeRWgbNEkqO");
        scram.Next(Encoding.UTF8.GetBytes("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
        Assert.Throws<SaslException>(() => scram.Next(Encoding.UTF8.GetBytes("v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")));
    }

    private static string Text(byte[] octets) => Encoding.UTF8.GetString(octets);

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
