using System.Net;
using Imapsync.Fleet.Dashboard;
using Imapsync.Fleet.Serving;
using Imapsync.Tests.Support;
using Microsoft.Playwright;

namespace Imapsync.Fleet.Tests.Dashboard;

/// <summary>Sign-in with OpenID Connect at a provider on another site, in a real Chromium.</summary>
public sealed class OidcTests(BrowserFixture browser) : IClassFixture<BrowserFixture>, IAsyncLifetime
{
    private IdentityProvider provider = null!;
    private DashboardLab lab = null!;

    public async ValueTask InitializeAsync()
    {
        provider = await IdentityProvider.StartAsync();
        lab = await DashboardLab.StartAsync(oidc: new OidcSettings(provider.Address, IdentityProvider.Client, IdentityProvider.Secret, "groups", "mail-admins", "mail-helpers", null));
        provider.Returns = new Uri(lab.Address, Oidc.CallbackPath).ToString();
        await lab.SubmitAsync("spring", 3);
    }

    [Fact]
    public async Task People_sign_in_by_the_provider_with_the_role_that_it_gives_them_and_are_led_to_what_they_asked_for()
    {
        await using var ann = await SignInAsync("ann@example.org", "staff mail-admins", "/accounts?text=user00001");
        await Assertions.Expect(ann.Page.GetByText("ann@example.org (operate)")).ToBeVisibleAsync();
        Assert.Equal("/accounts?text=user00001", new Uri(ann.Page.Url).PathAndQuery);
        await ann.Page.GetByLabel("Select user00001").CheckAsync();
        await ann.Page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await Assertions.Expect(ann.Page.GetByText("1 account paused")).ToBeVisibleAsync();
        await ann.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await ann.Page.GetByLabel("Token").WaitForAsync();

        await using var bob = await SignInAsync("bob", "mail-helpers", "/");
        await Assertions.Expect(bob.Page.GetByText("bob (look)")).ToBeVisibleAsync();
        await Assertions.Expect(bob.Page.GetByRole(AriaRole.Button, new() { Name = "Pause" })).ToHaveCountAsync(0);
    }

    [Theory]
    [InlineData("eve", "staff", "gives you no role here")]
    [InlineData("eve", "", "gives you no role here")]
    [InlineData("refused", "mail-admins", "did not sign you in")]
    public async Task Whom_the_provider_gives_no_role_or_refuses_gets_nothing_and_is_told(string user, string role, string told)
    {
        await using var eve = await SignInAsync(user, role, "/");
        await Assertions.Expect(eve.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync(told);
        await eve.Page.GotoAsync("/");
        await eve.Page.GetByLabel("Token").WaitForAsync();
    }

    [Fact]
    public async Task A_forged_answer_a_provider_that_is_away_and_an_address_elsewhere_open_nothing()
    {
        using var client = lab.Client();
        var (status, _, answer) = await client.GetAsync(Oidc.CallbackPath + "?code=made-up&state=made-up");
        Assert.Equal((HttpStatusCode.Redirect, "/sign-in?refused=failed"), (status, answer.Headers.Location!.OriginalString));
        Assert.Contains("did not sign you in", (await client.GetAsync("/sign-in?refused=failed")).Body, StringComparison.Ordinal);
        Assert.Contains("content=\"0;url=/\"", (await client.GetAsync("/signed-in?back=https://evil.example/")).Body, StringComparison.Ordinal);
        Assert.Contains("content=\"0;url=/\"", (await client.GetAsync("/signed-in?back=//evil.example/")).Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Redirect, (await client.GetAsync("/")).Status);
        await provider.StopAsync();
        await using var later = await DashboardLab.StartAsync(oidc: new OidcSettings(new Uri($"http://localhost:{LoopbackPorts.Free()}/"), "fleet", null, "groups", "mail-admins", null, null));
        using var other = later.Client();
        Assert.Equal("/sign-in?refused=away", (await other.GetAsync("/sign-in/provider")).Answer.Headers.Location!.OriginalString);
        Assert.Contains("can&#x27;t be reached", (await other.GetAsync("/sign-in?refused=away")).Body, StringComparison.Ordinal);
        await other.SignInAsync(later.Operator);
        Assert.Equal(HttpStatusCode.OK, (await other.GetAsync("/")).Status);
    }

    [Fact]
    public void What_a_provider_said_counts_for_an_hour()
    {
        var clock = new ManualClock();
        using var dir = new TempDir();
        var settings = new OidcSettings(new Uri("https://login.example/"), "fleet", null, "groups", "mail-admins", null, null);
        var session = new Session(new Tokens(dir["tokens"]), settings, clock);
        var ann = session.OpenByProvider("ann", Role.Operate);
        clock.Advance(TimeSpan.FromMinutes(59));
        Assert.NotNull(session.Renew(ann));
        Assert.Null(new Session(new Tokens(dir["tokens"]), null, clock).Renew(ann));
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(session.Renew(ann));
    }

    public async ValueTask DisposeAsync()
    {
        await lab.DisposeAsync();
        await provider.DisposeAsync();
    }

    private async Task<WatchedPage> SignInAsync(string user, string role, string path)
    {
        var watched = await browser.OpenAsync(lab.Address);
        var page = watched.Page;
        await page.GotoAsync(path);
        await page.GetByRole(AriaRole.Link, new() { Name = "Sign in with localhost" }).ClickAsync();
        await page.GetByLabel("User").FillAsync(user);
        await page.GetByLabel("Role").FillAsync(role);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in here" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "imapsync-fleet" }).WaitForAsync();
        return watched;
    }
}
