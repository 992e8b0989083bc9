using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Imapsync.Imap.Client;
using Imapsync.Tests.Support;

namespace Imapsync.Imap.Tests.Connection;

public sealed class TlsTests : IDisposable
{
    private readonly X509Certificate2 certificate = Certificate("imap.example.com");
    private readonly string caFile = Path.GetTempFileName();

    public TlsTests() => File.WriteAllText(caFile, certificate.ExportCertificatePem());

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        File.Delete(caFile);
        certificate.Dispose();
    }

    [Fact]
    public async Task STARTTLS_secures_the_connection_and_asks_for_the_capabilities_anew()
    {
        var (server, stream) = ScriptedServer.InMemory();
        await using var _ = server;
        var connecting = ImapClient.ConnectAsync(Options(stream) with { CaFile = caFile }, Token);
        await server.SendAsync("* OK [CAPABILITY IMAP4rev1 STARTTLS LIE] ready\r\n", Token);
        await server.AnswerAsync("STARTTLS");
        await server.SecureAsync(certificate);
        await server.AnswerAsync("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN");
        await using var client = await connecting;
        Assert.False(client.Capabilities.Has("LIE"));
    }

    [Fact]
    public async Task Octets_behind_the_OK_to_STARTTLS_are_an_injection()
    {
        var (server, stream) = ScriptedServer.InMemory();
        await using var _ = server;
        var connecting = ImapClient.ConnectAsync(Options(stream) with { CaFile = caFile }, Token);
        await server.SendAsync("* OK ready\r\n", Token);
        var tag = await server.ExpectAsync("STARTTLS", Token);
        await server.SendAsync($"{tag} OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", Token);
        Assert.Contains("injection", (await Assert.ThrowsAsync<ImapProtocolException>(() => connecting)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("* PREAUTH welcome\r\n", null)]
    [InlineData("* OK ready\r\n", "NO not today")]
    [InlineData("* OK ready\r\n", "BAD what?")]
    public async Task No_TLS_is_no_connection(string greeting, string? answer)
    {
        var (server, stream) = ScriptedServer.InMemory();
        await using var _ = server;
        var connecting = ImapClient.ConnectAsync(Options(stream), Token);
        await server.SendAsync(greeting, Token);
        if (answer is not null)
            await server.SendAsync($"{await server.ExpectAsync("STARTTLS", Token)} {answer}\r\n", Token);
        Assert.Equal(ConnectionFailure.Tls, (await Assert.ThrowsAsync<ImapConnectionException>(() => connecting)).Failure);
    }

    [Fact]
    public async Task An_unknown_authority_another_name_and_another_fingerprint_are_refused_with_the_reason()
    {
        Assert.Contains("can't be trusted", await RefusalAsync(o => o), StringComparison.Ordinal);
        Assert.Contains("another name", await RefusalAsync(o => o with { CaFile = caFile, Host = "other.example.com" }), StringComparison.Ordinal);
        Assert.Contains("fingerprint", await RefusalAsync(o => o with { Fingerprint = new string('0', 64) }), StringComparison.Ordinal);
        Assert.Contains("not there", await RefusalAsync(o => o with { CaFile = caFile + ".gone" }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_tells_the_fingerprint_to_pin_the_names_and_the_dates()
    {
        using var old = Certificate("imap.example.com", untilYear: 2001);
        var unknown = (await RefusedAsync(o => o, certificate)).Certificate!;
        var other = await RefusedAsync(o => o with { CaFile = caFile, Host = "other.example.com" }, certificate);
        await File.WriteAllTextAsync(caFile, old.ExportCertificatePem(), Token);
        var stale = await RefusedAsync(o => o with { CaFile = caFile }, old);
        var changed = (await RefusedAsync(o => o with { Fingerprint = new string('0', 64) }, certificate)).Certificate!;
        var fingerprint = certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant();
        Assert.Equal(new RefusedCertificate(fingerprint) { IsUnknown = true }, unknown);
        Assert.Equal(new RefusedCertificate(fingerprint) { IsForOtherName = true }, other.Certificate);
        Assert.Contains("for imap.example.com, 127.0.0.1", other.Message, StringComparison.Ordinal);
        Assert.Equal((true, false, false), (stale.Certificate!.IsOutOfDate, stale.Certificate.IsUnknown, stale.Certificate.IsForOtherName));
        Assert.Contains("1970-01-01 to 2001-01-01", stale.Message, StringComparison.Ordinal);
        Assert.Equal(new RefusedCertificate(fingerprint), changed);
    }

    [Fact]
    public async Task A_pinned_fingerprint_stands_for_the_chain()
    {
        var (server, stream) = ScriptedServer.InMemory();
        await using var _ = server;
        var pin = string.Join(':', SHA256.HashData(certificate.RawData).Select(b => b.ToString("x2")));
        var connecting = ImapClient.ConnectAsync(Options(stream) with { Tls = ImapTls.Implicit, Fingerprint = pin }, Token);
        await server.SecureAsync(certificate);
        await server.SendAsync("* OK [CAPABILITY IMAP4rev1] ready\r\n", Token);
        await using var client = await connecting;
        Assert.True(client.Capabilities.Has("IMAP4REV1"));
    }

    private static ImapClientOptions Options(Stream stream) => Session.Options(stream) with { Tls = ImapTls.StartTls };

    internal static X509Certificate2 Certificate(string host, int untilYear = 2200)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var made = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, new DateTimeOffset(untilYear, 1, 1, 0, 0, 0, TimeSpan.Zero));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    private async Task<string> RefusalAsync(Func<ImapClientOptions, ImapClientOptions> change) => (await RefusedAsync(change, certificate)).Message;

    private static async Task<ImapConnectionException> RefusedAsync(Func<ImapClientOptions, ImapClientOptions> change, X509Certificate2 certificate)
    {
        var (server, stream) = ScriptedServer.InMemory();
        await using var _ = server;
        var connecting = ImapClient.ConnectAsync(change(Options(stream) with { Tls = ImapTls.Implicit }), Token);
        var serving = server.SecureAsync(certificate);
        var refused = await Assert.ThrowsAsync<ImapConnectionException>(() => connecting);
        Assert.Equal(ConnectionFailure.Tls, refused.Failure);
        try
        {
            await serving;
        }
        catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
        {
            // The client closed the connection, as it should; the server may or may not notice that.
        }

        return refused;
    }
}
