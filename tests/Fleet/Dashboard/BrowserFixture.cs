using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Imapsync.Fleet.Tests.Dashboard;

/// <summary>One real Chromium, as installed on this machine, shared by all tests of the pages.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    private IPlaywright playwright = null!;
    private IBrowser browser = null!;

    public async ValueTask InitializeAsync()
    {
        // The timeout (in milliseconds) is long because the machine may be busy with other work.
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
        // The timeouts are long for the same reason as those above: the machine may be busy.
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

/// <summary>A page in the browser, with a record of all its requests and of all its console warnings and errors.</summary>
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
            // Violations of the content security policy are reported as console errors too.
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

    /// <summary>Writes a screenshot to the directory that IMAPSYNC_TESTS_SCREENSHOTS names; does nothing if the variable is not set.</summary>
    public async Task PictureAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_SCREENSHOTS") is { Length: > 0 } directory)
            await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(directory, name + ".png") });
    }

    /// <summary>Asserts that the page sent requests only to this server and caused no console warning or error.</summary>
    public void AssertQuiet()
    {
        Assert.NotEmpty(requests);
        Assert.All(requests, r => Assert.Equal(address.Authority, new Uri(r).Authority));
        Assert.Empty(complaints);
    }

    public async ValueTask DisposeAsync() => await Page.Context.CloseAsync();
}
