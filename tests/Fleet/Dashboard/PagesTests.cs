using System.Net;
using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Tests.Dashboard;

/// <summary>The pages over real HTTP, without script: who gets in, what is refused, and what a page shows and does.</summary>
public sealed class PagesTests : IAsyncLifetime
{
    private DashboardLab lab = null!;
    private DashboardClient ann = null!;
    private DashboardClient bob = null!;

    public async ValueTask InitializeAsync()
    {
        lab = await DashboardLab.StartAsync();
        (ann, bob) = await lab.SignInBothAsync();
    }

    [Fact]
    public async Task Who_has_not_signed_in_is_asked_to_and_then_led_to_what_was_asked_for()
    {
        using var nobody = lab.Client();
        var (status, _, answer) = await nobody.GetAsync("/accounts?text=a");
        Assert.Equal((HttpStatusCode.Redirect, "/sign-in?back=%2Faccounts%3Ftext%3Da"), (status, answer.Headers.Location!.OriginalString));
        foreach (var path in (string[])["/", "/live?batches=true", "/accounts/results.csv"])
            Assert.Equal(HttpStatusCode.Redirect, (await nobody.GetAsync(path)).Status);
        var (signed, _, led) = await nobody.SignInAsync(lab.Operator, "/accounts?text=a");
        Assert.Equal((HttpStatusCode.Redirect, "/accounts?text=a"), (signed, led.Headers.Location!.OriginalString));
        Assert.Contains("ann (operate)", (await nobody.GetAsync("/")).Body, StringComparison.Ordinal);
        using var misled = lab.Client();
        Assert.Equal("/", (await misled.SignInAsync(lab.Operator, "https://evil.example/")).Answer.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task A_session_is_a_cookie_that_scripts_and_other_sites_do_not_get_and_that_is_not_the_token()
    {
        using var one = lab.Client();
        var (_, _, answer) = await one.SignInAsync(lab.Operator);
        var cookie = answer.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith("imapsync-fleet=", StringComparison.Ordinal));
        Assert.Contains("samesite=strict", cookie, StringComparison.Ordinal);
        Assert.Contains("httponly", cookie, StringComparison.Ordinal);
        Assert.DoesNotContain(lab.Operator, cookie, StringComparison.Ordinal);
        using var behind = lab.Client();
        var secure = await behind.PostAsync("/sign-in", "/sign-in", [("token", lab.Operator)], ("X-Forwarded-Proto", "https"));
        Assert.Contains("secure", secure.Answer.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith("imapsync-fleet=", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_token_opens_nothing_and_is_not_shown_again()
    {
        using var nobody = lab.Client();
        var wrong = new string('a', 63) + "b";
        var (status, body, answer) = await nobody.SignInAsync(wrong);
        Assert.Equal(HttpStatusCode.Unauthorized, status);
        Assert.Contains("No user has this token.", body, StringComparison.Ordinal);
        Assert.DoesNotContain(wrong, body, StringComparison.Ordinal);
        Assert.DoesNotContain("imapsync-fleet=", string.Join(';', answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies : []), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Redirect, (await nobody.GetAsync("/")).Status);
    }

    [Fact]
    public async Task A_session_ends_with_the_token_it_was_opened_by_and_by_signing_out()
    {
        Assert.Equal(HttpStatusCode.OK, (await bob.GetAsync("/")).Status);
        lab.Dismiss("bob");
        Assert.Equal(HttpStatusCode.Redirect, (await bob.GetAsync("/")).Status);
        await ann.PostAsync("/", "/sign-out", []);
        Assert.Equal(HttpStatusCode.Redirect, (await ann.GetAsync("/")).Status);
    }

    [Fact]
    public async Task A_forged_form_one_of_another_site_and_a_cookie_at_the_API_change_nothing()
    {
        await lab.SubmitAsync("spring", 2);
        (string, string)[] pause = [("act", "pause"), ("all", "true")];
        Assert.Equal(HttpStatusCode.BadRequest, (await ann.SendAsync("/accounts?batch=1", pause)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await ann.SendAsync("/accounts?batch=1", [.. pause, ("__RequestVerificationToken", "CfDJ8made-up")])).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await ann.PostAsync("/", "/accounts?batch=1", pause, ("Sec-Fetch-Site", "cross-site"))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await ann.PostAsync("/", "/accounts?batch=1", pause, ("Sec-Fetch-Site", "same-site"))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await ann.PostAsync("/", "/sign-out", [], ("Sec-Fetch-Site", "cross-site"))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await ann.GetAsync("/api/batches")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await ann.PostAsync("/", "/api/batches", pause)).Status);
        Assert.Equal(AccountStatus.Due, (await lab.AccountAsync(1)).Status);
        Assert.Equal(HttpStatusCode.Redirect, (await ann.PostAsync("/", "/accounts?batch=1", pause, ("Sec-Fetch-Site", "same-origin"))).Status);
        Assert.Equal(AccountStatus.Paused, (await lab.AccountAsync(1)).Status);
    }

    [Fact]
    public async Task Every_form_that_changes_something_has_its_token()
    {
        await lab.SubmitAsync("spring", 2);
        var confirmation = await ann.PostAsync("/", "/accounts?batch=1", [("act", "cancel"), ("all", "true")]);
        foreach (var body in (string[])[(await ann.GetAsync("/")).Body, (await ann.GetAsync("/accounts")).Body, (await ann.GetAsync("/accounts/1")).Body, (await ann.GetAsync("/sign-in")).Body, confirmation.Body])
        {
            var forms = body.Split("<form ").Skip(1).Select(f => f.Split("</form>")[0]).Where(f => f.Split('>')[0].Contains("method=\"post\"", StringComparison.Ordinal)).ToList();
            Assert.NotEmpty(forms);
            Assert.All(forms, f => Assert.Contains("name=\"__RequestVerificationToken\"", f, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Who_may_only_look_sees_no_buttons_and_posts_in_vain()
    {
        await lab.SubmitAsync("spring", 2);
        Assert.DoesNotContain("name=\"act\"", (await bob.GetAsync("/")).Body + (await bob.GetAsync("/accounts")).Body, StringComparison.Ordinal);
        foreach (var action in (string[])["pause", "resume", "cancel", "retry"])
            Assert.Equal(HttpStatusCode.Forbidden, (await bob.PostAsync("/", "/accounts?batch=1", [("act", action), ("all", "true"), ("confirmed", "true")])).Status);
        Assert.Equal(AccountStatus.Due, (await lab.AccountAsync(1)).Status);
    }

    [Fact]
    public async Task Hostile_names_are_text()
    {
        const string script = "<script>alert(1)</script>", tag = "\"><img src=x onerror=alert(1)>", table = "x'); drop table account; --";
        await lab.SubmitAsync("<b>" + tag, 0, script, tag, table, "=cmd|' /C calc'!A0");
        var pages = (await ann.GetAsync("/")).Body + (await ann.GetAsync("/accounts?sort=name")).Body + (await ann.GetAsync("/accounts?text=" + Uri.EscapeDataString(tag))).Body
            + (await ann.PostAsync("/", "/accounts?batch=1", [("act", "cancel"), ("all", "true")])).Body;
        Assert.DoesNotContain("<script>", pages, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", pages, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>\"", pages, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", pages, StringComparison.Ordinal);
        Assert.Contains(">1 account<", (await ann.GetAsync("/accounts?text=" + Uri.EscapeDataString("drop table"))).Body, StringComparison.Ordinal);
        Assert.Contains("\r\n'=cmd", (await ann.GetAsync("/accounts/results.csv?batch=1")).Body, StringComparison.Ordinal);
        foreach (var odd in (string[])["sort=';drop", "sort=7", "after=x", "batch=x", "status=99", "status=';--", "after=1.x&sort=copied"])
            Assert.Equal(HttpStatusCode.NotFound, (await ann.GetAsync("/accounts?" + odd)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await ann.GetAsync("/accounts/results.csv?status=99")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await ann.GetAsync("/live?accounts=1,x")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await ann.PostAsync("/", "/accounts", [("act", "drop"), ("all", "true")])).Status);
    }

    [Fact]
    public async Task An_account_has_a_page_with_its_problems_folders_history_and_log_and_nothing_in_them_is_more_than_text()
    {
        const string script = "<script>alert(1)</script>", table = "x'); drop table account; --";
        await lab.SubmitAsync("spring", 2, script);
        var offers = await lab.BeginAsync(2);
        await lab.ProgressAsync(offers[0], 10, 400, new AttemptLine(1, 1000, "INBOX: 400 messages to copy " + script), new AttemptLine(2, 0, table));
        await lab.EndAsync(offers[0], AccountStatus.Incomplete, "50 messages were refused", DashboardLab.Report(3, "Grüße " + script + table, "Entwürfe/<b>2025</b>", "Sent"));
        var (status, body, _) = await bob.GetAsync("/accounts/1");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.DoesNotContain("<script>alert", body, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>2025", body, StringComparison.Ordinal);
        Assert.DoesNotContain("name=\"act\"", body, StringComparison.Ordinal);
        body = WebUtility.HtmlDecode(body);
        foreach (var shown in (string[])["Grüße " + script + table, "Zoë Ünal <zoe@old.example>", "2025-03-01 09:30 +01:00", "NO [LIMIT] message too big", "Entwürfe/<b>2025</b>", "UID 3", "1,200", "begun by worker worker-1, attempt 1", "INBOX: 400 messages to copy " + script, "UIDVALIDITY of Drafts has changed"])
            Assert.Contains(shown, body, StringComparison.Ordinal);
        Assert.Contains("name=\"act\"", (await ann.GetAsync("/accounts/1")).Body, StringComparison.Ordinal);
        Assert.Contains("No attempt has ended yet", (await ann.GetAsync("/accounts/3")).Body, StringComparison.Ordinal);
        foreach (var nobody in (string[])["/accounts/99", "/accounts/0", "/accounts/1%27", "/accounts/99999999999999999999"])
            Assert.Equal(HttpStatusCode.NotFound, (await ann.GetAsync(nobody)).Status);
        var paused = await ann.PostAsync("/accounts/3", "/accounts", [("act", "pause"), ("ids", "3"), ("back", "/accounts/3")]);
        Assert.Equal("/accounts/3", paused.Answer.Headers.Location!.OriginalString);
        Assert.Contains("1 account paused", (await ann.GetAsync("/accounts/3")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancel_is_confirmed_first_and_so_is_what_concerns_every_account()
    {
        await lab.SubmitAsync("spring", 3);
        var (status, body, _) = await ann.PostAsync("/", "/accounts?batch=1", [("act", "cancel"), ("ids", "1"), ("ids", "3")]);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("Cancel 2 accounts", body, StringComparison.Ordinal);
        Assert.Contains("Pause 3 accounts", (await ann.PostAsync("/", "/accounts", [("act", "pause"), ("all", "true")])).Body, StringComparison.Ordinal);
        Assert.Equal(AccountStatus.Due, (await lab.AccountAsync(1)).Status);
        var done = await ann.PostAsync("/", "/accounts?batch=1", [("act", "cancel"), ("ids", "1"), ("ids", "3"), ("confirmed", "true")]);
        Assert.Equal("/accounts?batch=1", done.Answer.Headers.Location!.OriginalString);
        Assert.Contains("2 accounts cancelled", (await ann.GetAsync("/accounts?batch=1")).Body, StringComparison.Ordinal);
        Assert.Equal((AccountStatus.Cancelled, AccountStatus.Due), ((await lab.AccountAsync(1)).Status, (await lab.AccountAsync(2)).Status));
        await ann.PostAsync("/", "/accounts?batch=1&status=cancelled", [("act", "retry"), ("all", "true")]);
        Assert.Equal(AccountStatus.Due, (await lab.AccountAsync(1)).Status);
        await ann.PostAsync("/", "/accounts", [("act", "pause")]);
        Assert.Contains("Nothing was selected", (await ann.GetAsync("/accounts")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_go_on_where_the_one_before_ended_and_the_export_has_every_row()
    {
        await lab.SubmitAsync("spring", 250);
        var seen = new List<string>();
        string? path = "/accounts?sort=-name";
        while (path is not null)
        {
            var body = WebUtility.HtmlDecode((await ann.GetAsync(path)).Body);
            seen.AddRange(body.Split("aria-label=\"Select user").Skip(1).Select(p => p[..5]));
            path = body.Split("<a href=\"").FirstOrDefault(p => p.Contains("rel=\"next\"", StringComparison.Ordinal))?.Split('"')[0];
        }

        Assert.Equal(Enumerable.Range(0, 250).Reverse().Select(i => $"{i:00000}"), seen);
        Assert.Equal(251, (await ann.GetAsync("/accounts/results.csv?text=user")).Body.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task A_page_that_went_wrong_is_a_page_and_one_for_programs_is_not()
    {
        var (status, body, answer) = await ann.GetAsync("/nowhere");
        Assert.Equal(HttpStatusCode.NotFound, status);
        Assert.Contains("<h1>Not found</h1>", body, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Empty((await ann.GetAsync("/api/nowhere")).Body);
        Assert.Contains("default-src 'none'; form-action 'none'", (await ann.GetAsync("/api/nowhere")).Answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        ann.Dispose();
        bob.Dispose();
        await lab.DisposeAsync();
    }
}
