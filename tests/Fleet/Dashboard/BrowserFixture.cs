using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Imapsync.Fleet.Tests.Dashboard;

/// <summary>One real Chromium, the machine's own, for all tests that drive the pages.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    private IPlaywright playwright = null!;
    private IBrowser browser = null!;

    public async ValueTask InitializeAsync()
    {
        // For a machine with much else to do.
        Assertions.SetDefaultExpectTimeout(60_000);
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = Find(), Args = ["--disable-dev-shm-usage"] });
    }

    public async Task<WatchedPage> OpenAsync(Uri address, ColorScheme colours = ColorScheme.Light)
    {
        var context = await browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = address.ToString(),
            ViewportSize = new ViewportSize { Width = 1280, Height = 900 },
            ColorScheme = colours,
        });
        // As above.
        context.SetDefaultTimeout(120_000);
        context.SetDefaultNavigationTimeout(120_000);
        return new WatchedPage(await context.NewPageAsync(), address);
    }

    public async ValueTask DisposeAsync()
    {
        await browser.DisposeAsync();
        playwright.Dispose();
    }

    private static string Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').SelectMany(d => (string[])[Path.Combine(d, "chromium"), Path.Combine(d, "chromium-browser"), Path.Combine(d, "google-chrome")]).FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException("these tests need a Chromium: apt-get install chromium");
}

/// <summary>A page, all it asked for and all it complained about.</summary>
public sealed class WatchedPage : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> requests = new();
    private readonly ConcurrentQueue<string> complaints = new();
    private readonly Uri address;

    public WatchedPage(IPage page, Uri address)
    {
        (Page, this.address) = (page, address);
        page.Context.Request += (_, r) => requests.Enqueue(r.Url);
        page.PageError += (_, e) => complaints.Enqueue(e);
        page.Console += (_, m) =>
        {
            // A violation of the content security policy is an error of the console as well.
            if (m.Type is "error" or "warning")
                complaints.Enqueue(m.Text);
        };
    }

    public IPage Page { get; }

    public async Task SignInAsync(string token)
    {
        await Page.GotoAsync("/");
        await Page.GetByLabel("Token").FillAsync(token);
        await Page.Keyboard.PressAsync("Enter");
        await Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "Batches", Exact = true }).WaitForAsync();
    }

    /// <summary>Writes a picture where IMAPSYNC_TESTS_SCREENSHOTS names a directory.</summary>
    public async Task PictureAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_SCREENSHOTS") is { Length: > 0 } directory)
            await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(directory, name + ".png") });
    }

    /// <summary>Everything was asked for at this server, and nothing was complained about.</summary>
    public void AssertQuiet()
    {
        Assert.NotEmpty(requests);
        Assert.All(requests, r => Assert.Equal(address.Authority, new Uri(r).Authority));
        Assert.Empty(complaints);
    }

    public async ValueTask DisposeAsync() => await Page.Context.CloseAsync();
}
