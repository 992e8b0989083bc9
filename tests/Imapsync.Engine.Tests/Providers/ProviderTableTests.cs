using Imapsync.Engine.Providers;
using Imapsync.Engine.SigningIn;

namespace Imapsync.Engine.Tests.Providers;

/// <summary>The form of the provider table, checked row by row.</summary>
public sealed class ProviderTableTests
{
    public static TheoryData<string> Names => [.. ProviderTable.Names];

    [Fact]
    public void The_names_are_words_of_their_own()
    {
        Assert.Equal(ProviderTable.Names.Length, ProviderTable.Names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(ProviderTable.Names, n => Assert.Matches("^[a-z][a-z0-9.-]*$", n));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_row_is_whole(string name)
    {
        var row = ProviderTable.Find(name)!;
        Assert.NotEmpty(row.Title);
        Assert.True(row.Host is null || (Uri.CheckHostName(row.Host) is UriHostNameType.Dns or UriHostNameType.IPv4 && !row.Host.Any(char.IsAsciiLetterUpper)), row.Host);
        Assert.InRange(row.Port, 1, 65535);
        Assert.NotEqual(default, row.SignIn);
        Assert.InRange(row.MaxConnections ?? 1, 1, 100);
        Assert.True(row.BytesReadPerDay is null or > 1_000_000 && row.BytesWrittenPerDay is null or > 1_000_000);
        Assert.All(row.LeaveOut, g => Assert.True(Engine.Mail.FolderPath.TryParse(g, out _), g));
        Assert.True(row.Link is null || (Uri.TryCreate(row.Link, UriKind.Absolute, out var link) && link.Scheme == "https"), row.Link);
        Assert.All(row.Quirks.Append(row.Advice), t => Assert.True(t.Length == 0 || (t.EndsWith('.') && t.Length < 300 && t.Trim() == t), t));
        // A value for 'oauth:' makes sense only if the provider accepts OAuth.
        Assert.True(row.OAuth is null || row.SignIn.HasFlag(SignIn.OAuth));
        Assert.True(row.OAuth is null || OAuthProviders.Find(row.OAuth) is not null, row.OAuth);
        // If the OAuth table has a row with the provider's name, 'oauth:' must name that row. Microsoft, for example, has different rows
        // for organizations and for persons.
        Assert.True(row.OAuth is null || OAuthProviders.Find(name) is null || row.OAuth == name, row.OAuth);
        if (row.SignIn != SignIn.Password && row.SignIn != (SignIn.Password | SignIn.AppPassword))
            Assert.NotEmpty(row.Advice);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_kind_of_server_has_no_place_and_a_provider_is_found_by_a_name(string name)
    {
        var row = ProviderTable.Find(name)!;
        Assert.All(row.Domains.Concat(row.Exchangers), d => Assert.True(Uri.CheckHostName(d) == UriHostNameType.Dns && !d.Any(char.IsAsciiLetterUpper), d));
        Assert.Equal(row.Host is null, row.Domains.IsEmpty && row.Exchangers.IsEmpty);
        Assert.All(row.Domains, d => Assert.Same(row, ProviderTable.OfDomain(d.ToUpperInvariant())));
        Assert.All(row.Exchangers, d => Assert.Same(row, ProviderTable.OfExchanger($"mx1.{d}.")));
        Assert.All(row.Exchangers, d => Assert.NotSame(row, ProviderTable.OfExchanger($"not{d}")));
    }

    [Fact]
    public void Nothing_is_found_for_what_nobody_has()
    {
        Assert.Null(ProviderTable.OfDomain("example.com"));
        Assert.Null(ProviderTable.OfDomain("mail.gmail.com"));
        Assert.Null(ProviderTable.OfExchanger("mx.example.com"));
        Assert.Null(ProviderTable.Find("Gmail"));
    }

    [Fact]
    public void The_facts_that_everything_else_is_built_on()
    {
        var gmail = ProviderTable.Find("gmail")!;
        Assert.Equal(("imaps://imap.gmail.com", 15, 2_500_000_000L, 500_000_000L, true), (gmail.Address, gmail.MaxConnections, gmail.BytesReadPerDay, gmail.BytesWrittenPerDay, gmail.HasLabels));
        Assert.Equal(("imap://127.0.0.1:1143", true), (ProviderTable.Find("proton-bridge")!.Address, ProviderTable.Find("proton-bridge")!.IsSelfSigned));
        Assert.True(ProviderTable.Find("microsoft365")!.NeedsOAuth && ProviderTable.Find("outlook")!.NeedsOAuth);
        Assert.Equal("outlook", ProviderTable.OfExchanger("hotmail-com.olc.protection.outlook.com")!.Name);
        Assert.Equal("microsoft365", ProviderTable.OfExchanger("example-com.mail.protection.outlook.com")!.Name);
        Assert.Equal("aol", ProviderTable.OfExchanger("mx-aol.mail.gm0.yahoodns.net")!.Name);
        Assert.Equal("alice", ProviderTable.Find("icloud")!.UserOf("alice@icloud.com"));
    }
}
