using System.Buffers.Text;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.SigningIn;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.SigningIn;

/// <summary>
/// The text that is reported when a mail server refuses a token. It names the likeliest cause and shows no part of the token.
/// </summary>
public sealed class TokenRefusalTextTests
{
    private const string Opaque = "ya29.opaque-token";

    [Fact]
    public void A_wrong_audience_is_found_in_the_token_and_told_with_both()
    {
        var text = Tell(Microsoft(), Jwt("""{"aud":"00000003-0000-0000-c000-000000000000"}"""));
        Assert.Contains("is for '00000003-0000-0000-c000-000000000000' and not for mail ('https://outlook.office.com')", text, StringComparison.Ordinal);
        foreach (var right in (string[])["https://outlook.office.com", "https://outlook.office365.com/", "00000002-0000-0ff1-ce00-000000000000"])
            Assert.DoesNotContain("not for mail", Tell(Microsoft(), Jwt($$"""{"aud":["x","{{right}}"]}""")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.b")]
    [InlineData("a.b.c")]
    [InlineData("..")]
    [InlineData("a.bnVsbA.c")]
    [InlineData("a.W10.c")]
    [InlineData("a.eyJhdWQiOjd9.c")]
    [InlineData(Opaque)]
    public void A_token_that_nobody_but_its_server_can_read_explains_nothing_and_breaks_nothing(string token)
    {
        var text = Tell(Microsoft(), token);
        Assert.Contains("'alice' must be the mailbox of whoever signed in", text, StringComparison.Ordinal);
        Assert.Contains("'imapsync login f j source'", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_scope_is_named()
    {
        var given = new IssuedToken(Opaque, TimeSpan.FromHours(1)) { Scope = "openid profile" };
        Assert.Contains("permits 'openid profile' and not 'https://outlook.office.com/IMAP.AccessAsUser.All'", Tell(Microsoft(), Opaque, given), StringComparison.Ordinal);
        Assert.Contains("and not 'mail'", Tell(Microsoft(), Opaque, null, new TokenRefusal("insufficient_scope", "mail")), StringComparison.Ordinal);
        // A server that grants everything may leave out the scope, or return only the part for the mail server.
        given = given with { Scope = "https://outlook.office.com/IMAP.AccessAsUser.All" };
        Assert.DoesNotContain("permits", Tell(Microsoft(), Opaque, given), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(119, null)]
    [InlineData(-119, null)]
    [InlineData(3725, "01:02:05 behind the authorization server's")]
    [InlineData(-90000, "1.01:00:00 ahead of the authorization server's")]
    public void A_clock_comes_first_where_it_is_far_off(int secondsAhead, string? words)
    {
        var given = new IssuedToken(Opaque, TimeSpan.FromHours(1)) { Scope = "none", ClockAhead = TimeSpan.FromSeconds(secondsAhead) };
        var text = Tell(Microsoft(), Opaque, given);
        if (words is null)
            Assert.DoesNotContain("clock", text, StringComparison.Ordinal);
        else
            Assert.Contains(words, text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OAuthGrant.ClientCredentials, "let into the mailbox 'alice'")]
    [InlineData(OAuthGrant.JwtBearer, "the user that 'subject' names")]
    public void Where_nobody_signs_in_nobody_is_sent_to(OAuthGrant grant, string words)
    {
        var text = TokenRefusalText.For(Microsoft() with { Grant = grant }, new Secret(Opaque), null, new TokenRefusal("401", "x") { Configuration = "https://e" }, command: null);
        Assert.Contains(words, text, StringComparison.Ordinal);
        Assert.Contains("of the token the server says: 401, scope x, see https://e", text, StringComparison.Ordinal);
        Assert.DoesNotContain("login", text, StringComparison.Ordinal);
    }

    private static OAuthSettings Microsoft() =>
        new(OAuthProviders.Find("microsoft365")!, "alice", "c", OAuthGrant.Device) { Scopes = ["https://outlook.office.com/IMAP.AccessAsUser.All", "offline_access"] };

    private static string Tell(OAuthSettings settings, string token, IssuedToken? issued = null, TokenRefusal? said = null)
    {
        var text = TokenRefusalText.For(settings, new Secret(token), issued, said, "imapsync login f j source");
        Assert.StartsWith("; ", text, StringComparison.Ordinal);
        Assert.DoesNotContain(Opaque, text, StringComparison.Ordinal);
        return text;
    }

    private static string Jwt(string payload) => $"e30.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload))}.c2ln";
}
