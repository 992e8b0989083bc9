using System.Text.RegularExpressions;
using Imapsync.Engine.SigningIn;

namespace Imapsync.Engine.Tests.SigningIn;

/// <summary>The table of OAuth providers is consistent: each row has everything that its grants need.</summary>
public sealed class OAuthProvidersTests
{
    public static TheoryData<string> Words => [.. OAuthProviders.Words];

    [Theory]
    [MemberData(nameof(Words))]
    public void A_row_has_what_its_grants_need_by_TLS_alone(string word)
    {
        var row = OAuthProviders.Find(word)!;
        Assert.NotEqual("the authorization server", row.Name);
        foreach (var url in new[] { row.TokenEndpoint!, row.AuthorizationEndpoint, row.DeviceAuthorizationEndpoint, row.RevocationEndpoint }.OfType<string>())
            Assert.True(url.StartsWith("https://", StringComparison.Ordinal) && OAuthEndpoints.IsSafe(url.Replace(OAuthProvider.TenantMark, "t", StringComparison.Ordinal)), url);
        Assert.Equal(row.Tenant is not null, row.TokenEndpoint!.Contains(OAuthProvider.TenantMark, StringComparison.Ordinal));
        Assert.Equal(row.Grants.Contains(OAuthGrant.Device), row.DeviceAuthorizationEndpoint is not null);
        Assert.Equal(row.Grants.Contains(OAuthGrant.Code), row.AuthorizationEndpoint is not null);
        Assert.NotEmpty(row.WhyNoOther);
        foreach (var protocol in Enum.GetValues<MailProtocol>())
        {
            foreach (var grant in row.Grants)
                Assert.NotEmpty(row.ScopesFor(protocol, grant));
        }
    }

    [Fact]
    public void Each_word_is_there_once() => Assert.Equal(OAuthProviders.Words.Length, OAuthProviders.Words.Distinct().Count());

    [Fact]
    public void The_document_has_a_chapter_for_each_provider_and_its_scopes()
    {
        var document = File.ReadAllText(Path.Combine(Root, "docs", "sign-in.md"));
        foreach (var row in OAuthProviders.All)
        {
            Assert.Matches(new Regex($"^## .*`{row.Word}`", RegexOptions.Multiline, TimeSpan.FromSeconds(10)), document);
            foreach (var scope in row.ScopesFor(MailProtocol.Imap, row.Grants[0]))
                Assert.Contains($"`{scope}`", document, StringComparison.Ordinal);
        }
    }

    private static string Root
    {
        get
        {
            var directory = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(directory.FullName, "imapsync.sln")))
                directory = directory.Parent!;
            return directory.FullName;
        }
    }
}
