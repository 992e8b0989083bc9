using Imapsync.Tests.Support;
using Imapsync.Tests.Support.OAuth;

namespace Imapsync.Servers.Tests.SignIn;

/// <summary>Authorization code with PKCE in a real Chromium: imapsync opens it, and the test acts as the user.</summary>
public sealed class BrowserTests
{
    private const string Browser = "browser";

    [Fact]
    public async Task A_person_signs_in_in_Chromium_and_runs_get_in_from_then_on()
    {
        await using var lab = await StartAsync();
        try
        {
            var signingIn = lab.SignInAsync("--browser");
            await using (var page = await ChromiumPage.AttachAsync(lab.Lab.Dir, Browser))
            {
                await page.SeesAsync("Sign in as alice");
                await AnswerAsync(page, "yes", "wrong");
                await page.SeesAsync("This is not the password.");
                Assert.False(signingIn.IsCompleted);
                await AnswerAsync(page, "yes", SignInPage.Password);
                await page.SeesAsync("Done. You can close this page and go back to imapsync.");
                Assert.Equal("imapsync", await page.EvaluateAsync("document.title"));
                Assert.StartsWith("http://127.0.0.1:", await page.EvaluateAsync("location.href"), StringComparison.Ordinal);
            }

            Assert.Contains("signed in to", (await signingIn).Output, StringComparison.Ordinal);
            Assert.Equal(["authorization_code"], lab.Authority.Grants);
            lab.NothingIsShown((await lab.Lab.SucceedAsync()).Everything);
            await lab.Lab.TargetEqualsSourceAsync();
            Assert.Equal(["authorization_code", "refresh_token"], lab.Authority.Grants);
        }
        finally
        {
            ChromiumPage.End(lab.Lab.Dir, Browser);
        }
    }

    [Fact]
    public async Task A_person_who_says_no_in_Chromium_leaves_nothing_behind()
    {
        await using var lab = await StartAsync();
        try
        {
            var signingIn = lab.CommandAsync("login", "--browser");
            await using (var page = await ChromiumPage.AttachAsync(lab.Lab.Dir, Browser))
            {
                await page.SeesAsync("Sign in as alice");
                await AnswerAsync(page, "no", "");
                await page.SeesAsync("imapsync was not let in. You can close this page.");
            }

            var refused = await signingIn;
            Assert.Equal(12, refused.Status);
            Assert.Contains("whoever was asked said no", refused.Error, StringComparison.Ordinal);
            Assert.False(File.Exists(lab.KeptFile));
            Assert.Empty(lab.Authority.Grants);
        }
        finally
        {
            ChromiumPage.End(lab.Lab.Dir, Browser);
        }
    }

    private static async Task<SignInLab> StartAsync()
    {
        var lab = await SignInLab.StartAsync();
        lab.Authority.AsksPerson = true;
        lab.Use($"issuer: {lab.Authority.Url}", $"scopes: [{AuthorizationServer.Scope}]", "grant: code");
        lab.Lab.Environment["BROWSER"] = ChromiumPage.WriteBrowser(lab.Lab.Dir, Browser);
        return lab;
    }

    private static Task AnswerAsync(ChromiumPage page, string button, string password) =>
        page.EvaluateAsync($"(document.getElementById('password').value = '{password}', document.getElementById('{button}').click())");
}
