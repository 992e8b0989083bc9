using Imapsync.Engine.Configuration.Secrets;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <summary>The advice to a user who can't connect or log in: what to do next, in terms of the job file.</summary>
public sealed class RemedyTests
{
    private const string Fingerprint = "00ff";

    public static TheoryData<RefusedCertificate, string> Certificates => new()
    {
        { new(Fingerprint) { IsUnknown = true }, "'tls_ca_file' names an authority" },
        { new(Fingerprint) { IsOutOfDate = true }, "renew" },
        { new(Fingerprint) { IsOutOfDate = true, IsUnknown = true }, "renew" },
        { new(Fingerprint) { IsForOtherName = true }, "in the URL" },
        { new(Fingerprint) { IsForOtherName = true, IsOutOfDate = true, IsUnknown = true }, "in the URL" },
        { new(Fingerprint), "renewed" },
    };

    [Theory]
    [MemberData(nameof(Certificates))]
    public void A_refused_certificate_is_told_with_the_line_that_pins_it_and_what_else_helps(RefusedCertificate shown, string cure)
    {
        var failure = Told(new ImapConnectionException(ConnectionFailure.Tls, "untrusted") { Certificate = shown });
        Assert.Contains($"'tls_fingerprint: {Fingerprint}'", failure.Message, StringComparison.Ordinal);
        Assert.Contains(cure, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ImapTls.Implicit, "write imaps:// in place of imap://")]
    [InlineData(ImapTls.StartTls, "write imap:// in place of imaps://")]
    public void The_right_URL_of_a_port_is_told(ImapTls instead, string cure) =>
        Assert.Contains(cure, Told(new ImapConnectionException(ConnectionFailure.Tls, "wrong") { SpeaksInstead = instead }).Message, StringComparison.Ordinal);

    [Fact]
    public void A_refused_password_is_told_with_where_it_came_from_and_never_with_itself()
    {
        var text = Remedy("alice", "AUTH=PLAIN");
        Assert.Contains("'alice' (some servers want the whole address)", text, StringComparison.Ordinal);
        Assert.Contains("(environment variable ALICE)", text, StringComparison.Ordinal);
        Assert.Contains("app password", text, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", text, StringComparison.Ordinal);
        Assert.DoesNotContain("whole address", Remedy("alice@example.com", "AUTH=PLAIN"), StringComparison.Ordinal);
        Assert.Contains("allowed to act for 'bob'", Remedy("alice", "AUTH=PLAIN", e => e with { AuthorizeAs = "bob" }), StringComparison.Ordinal);
    }

    [Fact]
    public void Where_only_tokens_are_taken_nobody_is_sent_to_look_at_a_password()
    {
        var text = Remedy("alice", "AUTH=XOAUTH2 LOGINDISABLED");
        Assert.Contains("'oauth' in place of the password", text, StringComparison.Ordinal);
        Assert.DoesNotContain("app password", text, StringComparison.Ordinal);
        Assert.DoesNotContain("app password", Remedy("alice", "AUTH=XOAUTH2", e => e with { Auth = AuthMechanism.XOAuth2 }), StringComparison.Ordinal);
    }

    private static MailException Told(ImapConnectionException e)
    {
        var failure = ImapFailure.Connecting(e, "cannot connect");
        Assert.Equal((FailureScope.Store, false, FailureKind.Connect), (failure.Scope, failure.IsTransient, failure.Kind));
        return failure;
    }

    private static string Remedy(string user, string capabilities, Func<ImapEndpoint, ImapEndpoint>? change = null)
    {
        var endpoint = new ImapEndpoint("localhost", 993, TlsMode.Implicit, user) { Password = new EnvironmentSecret("ALICE", _ => "hunter2") };
        return LogInRemedy.For(new ImapCapabilities(capabilities.Split(' ')), change?.Invoke(endpoint) ?? endpoint, new Secret("hunter2"), said: null);
    }
}
