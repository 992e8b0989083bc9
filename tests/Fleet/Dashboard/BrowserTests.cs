using Deque.AxeCore.Playwright;
using Imapsync.Fleet.Listing;
using Imapsync.Tests.Support;
using Microsoft.Playwright;

namespace Imapsync.Fleet.Tests.Dashboard;

/// <summary>The pages in a real Chromium: controls, live updates, accessibility rules, and no requests to other servers.</summary>
public sealed class BrowserTests(BrowserFixture browser) : IClassFixture<BrowserFixture>, IAsyncLifetime
{
    private DashboardLab lab = null!;

    public async ValueTask InitializeAsync() => lab = await DashboardLab.StartAsync();

    [Fact]
    public async Task An_operator_signs_in_filters_sorts_watches_retries_and_takes_the_results_along()
    {
        await lab.SubmitAsync("spring", 120);
        var offers = await lab.BeginAsync(4);
        await lab.EndAsync(offers[0], AccountStatus.Failed, "log-in refused");
        await lab.EndAsync(offers[1], AccountStatus.Failed, "log-in refused");
        await using var watched = await browser.OpenAsync(lab.Address);
        var page = watched.Page;
        await watched.SignInAsync(lab.Operator);

        await page.GetByRole(AriaRole.Link, new() { Name = "spring", Exact = true }).ClickAsync();
        var running = page.GetByRole(AriaRole.Row).Filter(new() { Has = page.GetByLabel("Select user00002") });
        await lab.ProgressAsync(offers[2], 100, 400);
        await Assertions.Expect(running).ToContainTextAsync("100 of 400");
        await lab.ProgressAsync(offers[2], 300, 400);
        await Assertions.Expect(running).ToContainTextAsync("300 of 400");
        await Assertions.Expect(running).ToContainTextAsync("Archive/2025 · worker-1");
        Assert.Equal(75, await running.GetByRole(AriaRole.Progressbar).EvaluateAsync<double>("e => e.value"));
        await lab.EndAsync(offers[2], AccountStatus.Done, "all in place");
        await Assertions.Expect(running.GetByText("done", new() { Exact = true })).ToHaveAttributeAsync("data-status", "done");

        await page.GetByRole(AriaRole.Link, new() { Name = "Account", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Account", Exact = true }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Columnheader, new() { Name = "Account" })).ToHaveAttributeAsync("aria-sort", "descending");
        await Assertions.Expect(page.GetByRole(AriaRole.Row).Nth(1)).ToContainTextAsync("user00119");

        await page.GetByLabel("failed", new() { Exact = true }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        await Assertions.Expect(page.GetByText("2 accounts", new() { Exact = true })).ToBeVisibleAsync();
        await page.GetByLabel("Select user00001").CheckAsync();
        await Assertions.Expect(page.GetByText("1 selected")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Retry" }).ClickAsync();
        await Assertions.Expect(page.GetByText("1 account will run again.")).ToBeVisibleAsync();
        Assert.Equal((AccountStatus.Failed, AccountStatus.Due), ((await lab.AccountAsync(1)).Status, (await lab.AccountAsync(2)).Status));

        var download = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "Results as CSV" }).ClickAsync());
        Assert.Equal("results.csv", download.SuggestedFilename);
        var rows = await File.ReadAllLinesAsync(await download.PathAsync());
        Assert.Equal(2, rows.Length);
        Assert.StartsWith("user00000,imaps://user00000@old.example:993,imaps://user00000@new.example:993,failed,1,400,400,1600000,3,log-in refused", rows[1], StringComparison.Ordinal);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await page.GetByLabel("Token").WaitForAsync();
        watched.AssertQuiet();
    }

    [Fact]
    public async Task A_batch_is_kept_up_to_date_and_cancelled_by_the_keyboard_alone()
    {
        await lab.SubmitAsync("spring", 5);
        await using var watched = await browser.OpenAsync(lab.Address);
        var page = watched.Page;
        await watched.SignInAsync(lab.Operator);
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("0 running, 5 waiting, 0 done, 0 failed or incomplete.");
        var offers = await lab.BeginAsync(2);
        await lab.EndAsync(offers[0], AccountStatus.Done, "all in place");
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("1 running, 3 waiting, 1 done, 0 failed or incomplete.");
        await Assertions.Expect(page.GetByText("1 of 5 done")).ToBeVisibleAsync();

        await page.GotoAsync("/");
        await page.Keyboard.PressAsync("Tab");
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "Skip to the content" })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        for (var presses = 0; presses < 20 && await page.EvaluateAsync<string>("document.activeElement.value ?? ''") != "cancel"; presses++)
            await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Cancel 5 accounts?");
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel 5 accounts" }).PressAsync("Enter");
        await Assertions.Expect(page.GetByText("4 accounts cancelled")).ToBeVisibleAsync();
        Assert.Equal(AccountStatus.Cancelled, (await lab.AccountAsync(5)).Status);
        watched.AssertQuiet();
    }

    [Fact]
    public async Task An_accounts_page_shows_live_how_it_gets_on_what_happened_and_at_the_end_the_problems()
    {
        await lab.SubmitAsync("spring", 3);
        var offers = await lab.BeginAsync(1);
        await using var watched = await browser.OpenAsync(lab.Address);
        var page = watched.Page;
        await watched.SignInAsync(lab.Operator);
        await page.GotoAsync("/accounts?batch=1");
        await page.GetByRole(AriaRole.Link, new() { Name = "user00000" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("user00000");
        await lab.ProgressAsync(offers[0], 100, 400, new AttemptLine(1, 0, "Archive/2025: 400 messages to copy"));
        await Assertions.Expect(page.GetByText("100 of 400")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("Archive/2025: 400 messages to copy")).ToBeVisibleAsync();
        await lab.ProgressAsync(offers[0], 200, 400, new AttemptLine(1, 0, "Archive/2025: 400 messages to copy"), new AttemptLine(2, 0, "problem: Archive/2025: message 7: too big"));
        await Assertions.Expect(page.GetByText("message 7: too big")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("400 messages to copy")).ToHaveCountAsync(1);
        await page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).FocusAsync();
        await lab.EndAsync(offers[0], AccountStatus.Incomplete, "50 messages were refused", DashboardLab.Report(2, "Grüße aus Wien", "Archive/2025", "Entwürfe"));
        await Assertions.Expect(page.GetByRole(AriaRole.Rowheader, new() { Name = "Grüße aus Wien Zoë Ünal <zoe@old.example>" })).ToHaveCountAsync(2);
        await Assertions.Expect(page.GetByRole(AriaRole.Rowheader, new() { Name = "Entwürfe" })).ToBeVisibleAsync();
        // The update of the page did not move the keyboard focus.
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Pause" })).ToBeFocusedAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Retry" }).ClickAsync();
        await Assertions.Expect(page.GetByText("1 account will run again.")).ToBeVisibleAsync();
        Assert.Equal(AccountStatus.Due, (await lab.AccountAsync(1)).Status);
        watched.AssertQuiet();
    }

    [Fact]
    public async Task A_list_is_uploaded_checked_live_taken_along_to_be_corrected_and_what_is_in_order_is_submitted()
    {
        using var dir = new TempDir();
        await using var accounts = await BrokenAccounts.StartAsync(dir, "u0", "u1");
        AccountRow Good(string user) => new(user, $"imap://{user}@127.0.0.1:{accounts.Source.Port}", accounts.Admin);
        var broken = accounts.RowsOf(accounts.Source.Port, "u1");
        AccountRow[] rows = [Good("u0"), broken[0], Good("u1"), broken[7]];
        File.WriteAllLines(dir["accounts.csv"], rows.Select(r => r.Line).Prepend(AccountRow.Columns));
        dir.Write("bulk.yaml", """
            jobs:
              - name: "{name}"
                for_each: accounts.csv
                source: { url: "{source}", tls: "{tls}", password: "{password}" }
                target: { url: "{target}", tls: none, password: "{admin_password}", authorize_as: "{name}" }
                retry: { attempts: 1 }
            """);
        await using var watched = await browser.OpenAsync(lab.Address);
        var page = watched.Page;
        await watched.SignInAsync(lab.Operator);
        await page.GetByRole(AriaRole.Link, new() { Name = "Import" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Both files together may have 64 MiB")).ToBeVisibleAsync();
        await page.GetByLabel("Name of the list").FillAsync("<spring>");
        await page.GetByLabel("Job file (YAML)").SetInputFilesAsync(dir["bulk.yaml"]);
        await using (var huge = File.Create(dir["huge.csv"]))
            huge.SetLength(1L << 30);
        await page.GetByLabel("List of accounts (CSV)").SetInputFilesAsync(dir["huge.csv"]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Check by signing in" }).ClickAsync();
        Assert.Contains("The files have 1025 MiB, and 64 MiB may be uploaded.", await page.GetByLabel("List of accounts (CSV)").EvaluateAsync<string>("e => e.validationMessage"), StringComparison.Ordinal);
        await page.GetByLabel("List of accounts (CSV)").SetInputFilesAsync(dir["accounts.csv"]);
        await page.GetByLabel("The check counts messages").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Check by signing in" }).ClickAsync();

        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Check of <spring>");
        await Assertions.Expect(page.GetByText("All 4 rows checked, 2 of them failed.")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "wrong-password" })).ToContainTextAsync("source: cannot log in");
        await Assertions.Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "(no account)" })).ToContainTextAsync("'//' is missing");
        await CheckAsync(watched, "check-light");
        await page.GetByRole(AriaRole.Navigation, new() { Name = "Rows by result" }).GetByRole(AriaRole.Link, new() { Name = "ok" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Row)).ToHaveCountAsync(3);
        var download = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "Results as CSV" }).ClickAsync());
        var csv = await File.ReadAllTextAsync(await download.PathAsync());
        Assert.StartsWith("name,source,tls,target,result,reason", csv, StringComparison.Ordinal);
        Assert.Contains("cannot log in", csv, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(BrokenAccounts.Password, csv, StringComparison.Ordinal);

        await page.GetByRole(AriaRole.Button, new() { Name = "Submit 2 accounts found in order" }).ClickAsync();
        await Assertions.Expect(page.GetByText("2 accounts submitted.")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Accounts of <spring>");
        Assert.Equal(["u0", "u1"], (await lab.Store.ReadAccountsAsync(new AccountPage(new AccountFilter()), TestContext.Current.CancellationToken)).Accounts.Select(a => a.Name));
        watched.AssertQuiet();
    }

    [Fact]
    public async Task The_workers_are_shown_live_with_what_they_have_at_work_and_what_they_copied()
    {
        await lab.SubmitAsync("spring", 5);
        await lab.Store.SeenAsync("worker-0", 10, "1", true, TestContext.Current.CancellationToken);
        var offers = await lab.BeginAsync(2);
        await using var watched = await browser.OpenAsync(lab.Address);
        var page = watched.Page;
        await watched.SignInAsync(lab.Operator);
        await page.GetByRole(AriaRole.Link, new() { Name = "Workers" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Region, new() { Name = "worker-0" })).ToContainTextAsync("drained");
        await Assertions.Expect(page.GetByText("nothing was copied")).ToBeVisibleAsync();
        var worker = page.GetByRole(AriaRole.Region, new() { Name = "worker-1", Exact = true });
        await Assertions.Expect(worker).ToContainTextAsync("2 of 2 slots taken");
        await lab.ProgressAsync(offers[0], 1234, 4000);
        await Assertions.Expect(worker).ToContainTextAsync("1,234 of 4,000");
        await lab.EndAsync(offers[1], AccountStatus.Done, "all in place");
        await Assertions.Expect(worker).ToContainTextAsync("1 of 2 slots taken");
        await page.ReloadAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Img, new() { Name = "Messages a minute" })).ToBeVisibleAsync();
        await page.GetByText("The figures as a table").ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Region, new() { Name = "Table of the throughput" }).GetByRole(AriaRole.Row).Last).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "last day" }).ClickAsync();
        await Assertions.Expect(page.GetByText("1,634 messages in all")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "user00000" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("user00000");
        watched.AssertQuiet();
    }

    [Fact]
    public async Task A_page_whose_user_was_dismissed_is_told_nothing_more_and_says_so()
    {
        await lab.SubmitAsync("spring", 5);
        await using var watched = await browser.OpenAsync(lab.Address);
        await watched.SignInAsync(lab.Looker);
        lab.Dismiss("bob");
        await Assertions.Expect(watched.Page.GetByText("no longer kept up to date")).ToBeVisibleAsync();
        await lab.BeginAsync(2);
        await watched.Page.ReloadAsync();
        await watched.Page.GetByLabel("Token").WaitForAsync();
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Every_page_keeps_the_rules_of_accessibility_and_fits_wide_and_narrow_screens(ColorScheme colours)
    {
        await lab.SubmitAsync("spring", 12);
        await lab.SubmitAsync("a name that goes on and on and on for as long as anybody likes", 8);
        var offers = await lab.BeginAsync(5);
        await lab.EndAsync(offers[0], AccountStatus.Failed, "log-in refused");
        await lab.EndAsync(
            offers[1], AccountStatus.Incomplete, "3 messages were refused by the target",
            DashboardLab.Report(3, "A subject that goes on and on for as long as anybody likes to read it, and then some", "INBOX", "Archive/2025/Projects/Anoverlongnameofafolderwithoutanyspaceinit", "Entwürfe"));
        await lab.EndAsync(offers[2], AccountStatus.Done, "all in place");
        await lab.ProgressAsync(offers[3], 12_345, 40_000, new AttemptLine(1, 60_000, "12 folders with 40,000 messages"), new AttemptLine(2, 1000, "waits until 12:00:00 UTC: old.example asks for a pause: NO [THROTTLED] Suggested Backoff Time: 60000 milliseconds"));
        await using var watched = await browser.OpenAsync(lab.Address, colours);
        var page = watched.Page;
        await page.GotoAsync("/sign-in");
        await CheckAsync(watched, $"sign-in-{colours}");
        await watched.SignInAsync(lab.Operator);
        foreach (var (name, path) in ((string, string)[])[("batches", "/"), ("accounts", "/accounts?batch=1"), ("account", "/accounts/2"), ("account-running", "/accounts/4"), ("import", "/import"), ("workers", "/workers"), ("workers-day", "/workers?span=day"), ("none", "/accounts?text=nobody"), ("not-found", "/accounts/nowhere")])
        {
            await page.GotoAsync(path);
            await CheckAsync(watched, $"{name}-{colours}");
        }

        await page.GotoAsync("/accounts?status=running");
        await page.GetByLabel("Select all on this page").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Go back" }).WaitForAsync();
        await CheckAsync(watched, $"confirm-{colours}");
    }

    /// <summary>Asserts that the page is not wider than the screen and breaks no rule of accessibility.</summary>
    private static async Task CheckAsync(WatchedPage watched, string name)
    {
        var page = watched.Page;
        foreach (var width in (int[])[400, 1280])
        {
            await page.SetViewportSizeAsync(width, 900);
            await watched.PictureAsync($"{name}-{width}");
            Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), $"{name} is wider than {width} pixels");
        }

        var found = (await page.RunAxe()).Violations;
        Assert.True(found.Length == 0, $"{name}: {string.Join("; ", found.Select(v => $"{v.Id} {v.Help}: {string.Join(", ", v.Nodes.Select(n => n.Html))}"))}");
    }

    public async ValueTask DisposeAsync() => await lab.DisposeAsync();
}
