using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Imap.Sasl;
using Imapsync.Imap.Tests.Connection;
using MailKit.Security;

namespace Imapsync.Imap.Tests.Commands;

/// <summary>Tests each mechanism's octets against the RFCs' examples, and against verifiers that share no code with the client.</summary>
public sealed class SaslExchangeTests
{
    [Theory]
    [InlineData(
        "SCRAM-SHA-1",
        "fyko+d2lbbFgONRv9qkxdawL",
        "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")]
    [InlineData(
        "SCRAM-SHA-256",
        "rOprNGfwEbeRWgbNEkqO",
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")]
    public void SCRAM_speaks_as_in_RFC_5802_and_7677(string name, string nonce, string first, string proof, string signature)
    {
        var mechanism = (SaslMechanismScramBase)SaslMechanisms.Create(name, new ImapCredentials("user", "pencil"), Options)!;
        ScramNonce(mechanism) = nonce;
        var exchange = new SaslExchange(mechanism, ImapLimits.Default);
        Assert.Equal($"n,,n=user,r={nonce}", Text(exchange.InitialResponse!));
        Assert.Equal(proof, Text(exchange.Next(Base64(first))));
        Assert.False(exchange.IsProven);
        Assert.Equal("", exchange.Next(Base64(signature)));
        Assert.True(exchange.IsProven);
    }

    [Fact]
    public void DIGEST_MD5_speaks_as_in_RFC_2831()
    {
        var options = Options with { Host = "elwood.innosoft.com" };
        var mechanism = (SaslMechanismDigestMd5)SaslMechanisms.Create("DIGEST-MD5", new ImapCredentials("chris", "secret"), options)!;
        DigestNonce(mechanism) = "OA6MHXh6VqTrRk";
        var exchange = new SaslExchange(mechanism, ImapLimits.Default);
        Assert.Null(exchange.InitialResponse);
        var answer = Text(exchange.Next(Base64("realm=\"elwood.innosoft.com\",nonce=\"OA6MG9tEQGm2hh\",qop=\"auth\",algorithm=md5-sess,charset=utf-8")));
        Assert.Contains("username=\"chris\"", answer, StringComparison.Ordinal);
        Assert.Contains("digest-uri=\"imap/elwood.innosoft.com\"", answer, StringComparison.Ordinal);
        Assert.Contains("response=d388dad90d4bbd760a152321f2143af7", answer, StringComparison.Ordinal);
        Assert.False(exchange.IsProven);
        Assert.Equal("", exchange.Next(Base64("rspauth=ea40f60335c427b5527b84dbabcdfffd")));
        Assert.True(exchange.IsProven);
    }

    [Fact]
    public void DIGEST_MD5_carries_the_mailbox_to_act_for() =>
        Assert.Contains(
            "authzid=\"bob\"", Text(Exchange("DIGEST-MD5", "admin", "x", "bob").Next(Base64("nonce=\"n\",qop=\"auth\",charset=utf-8"))), StringComparison.Ordinal);

    [Theory]
    [InlineData("PLAIN", "me", "se cret", null, "\0me\0se cret")]
    [InlineData("PLAIN", "me", "pä\t\"'\\ß", "", "\0me\0pä\t\"'\\ß")]
    [InlineData("PLAIN", "admin", "x", "bob", "bob\0admin\0x")]
    [InlineData("XOAUTH2", "me@contoso.com", "good", null, "user=me@contoso.com\u0001auth=Bearer good\u0001\u0001")]
    [InlineData("XOAUTH2", "jörg@contoso.com", "good", null, "user=jörg@contoso.com\u0001auth=Bearer good\u0001\u0001")]
    [InlineData("OAUTHBEARER", "a,b=ü", "good", null, "n,a=a=2Cb=3Dü,\u0001host=imap.example.com\u0001port=143\u0001auth=Bearer good\u0001\u0001")]
    [InlineData("ANONYMOUS", "trace", "", null, "trace")]
    [InlineData("EXTERNAL", "me", "", "bob", "bob")]
    [InlineData("EXTERNAL", "me", "", null, "")]
    public void What_is_said_at_once(string name, string user, string secret, string? authorizeAs, string octets) =>
        Assert.Equal(octets, Text(Exchange(name, user, secret, authorizeAs).InitialResponse!));

    [Theory]
    [InlineData("XOAUTH2", "")]
    [InlineData("OAUTHBEARER", "\u0001")]
    public void An_error_in_place_of_a_token_s_success_is_acknowledged(string name, string answer) =>
        Assert.Equal(answer, Text(Exchange(name, "me", "token").Next(Base64("{\"status\":\"401\"}"))));

    [Theory]
    [InlineData("""{"status":"invalid_token","scope":"mail","openid-configuration":"https://e/c"}""", "invalid_token, mail, https://e/c")]
    [InlineData("""{"status":401,"schemes":"bearer mac","scope":"https://mail.google.com/"}""", "401, https://mail.google.com/, ")]
    [InlineData("""{"status":"a\u001b[31m\r\nb","scope":["mail"]}""", "a[31mb, , ")]
    [InlineData("{}", ", , ")]
    [InlineData("[1]", null)]
    [InlineData("null", null)]
    [InlineData("not JSON", null)]
    [InlineData("", null)]
    public void What_a_server_says_of_a_token_is_kept(string challenge, string? kept)
    {
        foreach (var name in (string[])["XOAUTH2", "OAUTHBEARER"])
        {
            var exchange = Exchange(name, "me", "token");
            exchange.Next(Base64(challenge));
            var said = exchange.TokenRefusal;
            Assert.Equal(kept, said is null ? null : $"{said.Status}, {said.Scope}, {said.Configuration}");
        }
    }

    [Fact]
    public void Of_a_long_story_about_a_token_the_beginning_is_kept()
    {
        var exchange = Exchange("OAUTHBEARER", "me", "token");
        exchange.Next(Base64($$"""{"status":"{{new string('x', 5000)}}"}"""));
        Assert.Equal(200, exchange.TokenRefusal!.Status!.Length);
    }

    [Fact]
    public void LOGIN_tells_user_and_password_one_after_the_other()
    {
        var exchange = Exchange("LOGIN", "jörg", "pä\tß");
        Assert.Null(exchange.InitialResponse);
        Assert.Equal("jörg", Text(exchange.Next(Base64("Username:"))));
        Assert.Equal("pä\tß", Text(exchange.Next(Base64("Password:"))));
    }

    [Fact]
    public void CRAM_MD5_and_SCRAM_satisfy_a_verifier_for_generated_users_and_passwords()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var i = 0; i < 60; i++)
        {
            var (user, password) = (Word(random), Word(random));
            var challenge = $"<{random.Next()}@example.com>";
#pragma warning disable CA5351 // CRAM-MD5 is made of it (RFC 2195).
            var digest = Convert.ToHexStringLower(HMACMD5.HashData(Encoding.UTF8.GetBytes(password), Encoding.UTF8.GetBytes(challenge)));
#pragma warning restore CA5351
            Assert.Equal($"{user} {digest}", Text(Exchange("CRAM-MD5", user, password).Next(Base64(challenge))));
            foreach (var (name, hash) in ((string, HashAlgorithmName)[])
                     [("SCRAM-SHA-1", HashAlgorithmName.SHA1), ("SCRAM-SHA-256", HashAlgorithmName.SHA256), ("SCRAM-SHA-512", HashAlgorithmName.SHA512)])
                VerifyScram(Exchange(name, user, password), new ScramVerifier(hash, user, password, random));
        }
    }

    [Theory]
    [InlineData("r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")]
    [InlineData("r=NONCEx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=999999999")]
    [InlineData("r=NONCEx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999999")]
    [InlineData("r=NONCEx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0")]
    [InlineData("r=NONCEx,s=W22ZaJ0SNY7soEsUEjb6gQ==")]
    [InlineData("r=NONCEx,s=%%,i=4096")]
    [InlineData("r=NONCEx,r=NONCEx,s=QQ==,i=4096")]
    [InlineData("v=QQ==")]
    [InlineData("")]
    public void SCRAM_does_not_go_along_with_nonsense(string challenge)
    {
        var exchange = Exchange("SCRAM-SHA-256", "user", "pencil");
        var nonce = Text(exchange.InitialResponse!).Split("r=")[1];
        Assert.Throws<SaslFaultException>(() => exchange.Next(Base64(challenge.Replace("NONCE", nonce, StringComparison.Ordinal))));
        Assert.False(exchange.IsProven);
    }

    [Theory]
    [InlineData("v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")]
    [InlineData("v=")]
    public void A_server_that_does_not_know_the_password_is_found_out_and_not_taught(string signature)
    {
        var exchange = Exchange("SCRAM-SHA-256", "user", "pencil");
        var nonce = Text(exchange.InitialResponse!).Split("r=")[1];
        exchange.Next(Base64($"r={nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
        var fault = Assert.Throws<SaslFaultException>(() => exchange.Next(Base64(signature)));
        Assert.Equal("the server could not prove that it knows the password", fault.Message);
        Assert.False(exchange.IsProven);
    }

    [Theory]
    [InlineData("SCRAM-SHA-256", 0)]
    [InlineData("SCRAM-SHA-256", 1)]
    [InlineData("SCRAM-SHA-1", 0)]
    [InlineData("SCRAM-SHA-1", 1)]
    [InlineData("SCRAM-SHA-512", 1)]
    [InlineData("SCRAM-SHA-512", 2)]
    [InlineData("SCRAM-SHA-256", 2)]
    [InlineData("DIGEST-MD5", 0)]
    [InlineData("DIGEST-MD5", 1)]
    public async Task An_OK_before_the_server_s_proof_is_no_log_in(string name, int challenges)
    {
        await using var session = await Session.OpenAsync($"IMAP4rev1 SASL-IR AUTH={name} AUTH=PLAIN");
        var login = session.Client.LogInAsync(new ImapCredentials("alice", "pencil"), Session.Token);
        var line = await session.Server.ReadLineAsync(Session.Token);
        var tag = line!.Split(' ')[0];
        var nonce = name == "DIGEST-MD5" ? "" : Text(line.Split(' ')[3]).Split("r=")[1];
        string[] said = name == "DIGEST-MD5"
            ? ["nonce=\"n\",qop=\"auth\",charset=utf-8"]
            : [$"r={nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "e=other-error"];
        for (var i = 0; i < challenges; i++)
        {
            await session.Server.SendAsync($"+ {Base64(said[i])}\r\n", Session.Token);
            await session.Server.ReadLineAsync(Session.Token);
        }

        await session.Server.SendAsync($"{tag} OK [CAPABILITY IMAP4rev1] in\r\n", Session.Token);
        var refused = await Assert.ThrowsAsync<ImapLogInException>(() => login);
        Assert.Contains("prove", refused.Message, StringComparison.Ordinal);
        // The client sends nothing more, and in particular not the password itself.
        Assert.Null(await session.Server.ReadLineAsync(Session.Token));
    }

    private static ImapClientOptions Options { get; } = new("imap.example.com", 143, ImapTls.None);

    private static SaslExchange Exchange(string name, string user, string secret, string? authorizeAs = null) =>
        new(SaslMechanisms.Create(name, new ImapCredentials(user, secret, null, authorizeAs), Options)!, ImapLimits.Default);

    private static void VerifyScram(SaslExchange exchange, ScramVerifier server)
    {
        var proof = exchange.Next(Base64(server.First(Text(exchange.InitialResponse!))));
        var signature = server.Final(Text(proof));
        Assert.False(exchange.IsProven);
        exchange.Next(Base64(signature));
        Assert.True(exchange.IsProven);
    }

    private static string Word(Random random)
    {
        const string characters = "abcXYZ019'\\\"=,:;{}%@*( )äöüßéñЖ漢€";
        return new string([.. Enumerable.Range(0, random.Next(1, 90)).Select(_ => characters[random.Next(characters.Length)])]);
    }

    private static string Text(string base64) => Encoding.UTF8.GetString(Convert.FromBase64String(base64));

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "cnonce")]
    private static extern ref string? ScramNonce(SaslMechanismScramBase mechanism);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "cnonce")]
    private static extern ref string? DigestNonce(SaslMechanismDigestMd5 mechanism);
}
