using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Serving;
using Imapsync.Fleet.Submitting;
using Imapsync.Tests.Support;
using Microsoft.AspNetCore.Builder;

namespace Imapsync.Fleet.Tests.Serving;

/// <summary>The API over real HTTP: who may do what, what is refused, and that no secret ever comes back.</summary>
public sealed class ApiTests : IAsyncLifetime
{
    private const string Secret = "s3cret-that-is-never-shown";

    private readonly TempDir dir = new();
    private FleetStore store = null!;
    private WebApplication app = null!;
    private HttpClient operators = null!;
    private HttpClient lookers = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        store = await FleetStore.OpenFileAsync(dir["fleet.db"], null, Stop);
        var tokens = new Tokens(dir["tokens"]);
        var reader = new BatchReader(Seal.Open(dir["keys"]), new BatchRules(trusted: false, [dir["mail"]], new Dictionary<string, string>()));
        app = FleetServer.Build(new IPEndPoint(IPAddress.Loopback, 0), null, store, reader, tokens, dir["keys"]);
        await app.StartAsync(Stop);
        operators = Client(tokens.Add("ann", Role.Operate));
        lookers = Client(tokens.Add("bob", Role.Look));
    }

    [Fact]
    public async Task The_results_of_a_list_that_is_not_there_are_not_those_of_an_empty_one()
    {
        using var answer = await lookers.GetAsync("/api/batches/7/results.csv", Stop);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public void A_token_is_added_behind_a_last_line_without_an_end()
    {
        var tokens = new Tokens(dir["edited"]);
        var first = tokens.Add("ann", Role.Operate);
        File.WriteAllText(dir["edited"], File.ReadAllText(dir["edited"]).TrimEnd());
        Assert.Equal(("bob", Role.Look), tokens.Find(tokens.Add("bob", Role.Look)));
        Assert.Equal(("ann", Role.Operate), tokens.Find(first));
    }

    [Fact]
    public async Task A_list_is_taken_in_shown_acted_on_and_exported_and_its_passwords_stay()
    {
        var (status, body) = await SubmitAsync("one", Job(), Rows("alice", "bob"));
        Assert.True(status == HttpStatusCode.OK, body);
        Assert.Equal(2, JsonDocument.Parse(body).RootElement.GetProperty("accounts").GetInt32());
        var texts = new List<string> { body };
        foreach (var path in (string[])["/api/batches", "/api/accounts", "/api/accounts/1", "/api/batches/1/results.csv", "/api/hosts", "/api/workers", "/metrics", "/openapi/v1.json", "/api/throughput?minutes=15&count=96", "/api/preflights"])
        {
            using var answer = await lookers.GetAsync(path, Stop);
            Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode}");
            texts.Add(await answer.Content.ReadAsStringAsync(Stop));
        }

        Assert.Contains("\"due\":2", texts[1], StringComparison.Ordinal);
        Assert.Contains("imaps://alice@old.example:993", texts[2], StringComparison.Ordinal);
        Assert.Contains("\"connections\":7", texts[5], StringComparison.Ordinal);
        Assert.Contains("imapsync_fleet_accounts{status=\"due\"} 2", texts[7], StringComparison.Ordinal);
        Assert.Contains("/api/actions", texts[8], StringComparison.Ordinal);
        Assert.Equal("{\"accounts\":1}", await PostAsync("/api/actions", """{ "action": "pause", "text": "ALICE" }"""));
        Assert.Contains("\"paused\":1", await lookers.GetStringAsync("/api/batches", Stop), StringComparison.Ordinal);
        texts.Add(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(dir["fleet.db"], Stop)));
        texts.Add(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(dir["fleet.db-wal"], Stop)));
        Assert.All(texts, t => Assert.DoesNotContain(Secret, t, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_list_is_removed_by_who_may_operate_and_not_while_it_is_worked_on()
    {
        await SubmitAsync("one", Job(), Rows("alice", "bob"));
        await store.SeenAsync("w", 1, "1", false, Stop);
        var offer = Assert.Single(await store.FeedAsync((_, _, _) => null, Stop));
        Assert.Equal(HttpStatusCode.Forbidden, (await lookers.DeleteAsync("/api/batches/1", Stop)).StatusCode);
        using var refused = await operators.DeleteAsync("/api/batches/1", Stop);
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Contains("pause or cancel the list", await refused.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.NotNull(await store.StartAsync(offer.Account, offer.Attempt, "w", Stop));
        Assert.True(await store.FinishAsync("w", new AttemptEnd(offer.Account, offer.Attempt, AccountStatus.Due, 0, 0, "handed back"), Stop));
        Assert.Equal(HttpStatusCode.NoContent, (await operators.DeleteAsync("/api/batches/1", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await operators.DeleteAsync("/api/batches/1", Stop)).StatusCode);
        Assert.Equal("[]", await lookers.GetStringAsync("/api/batches", Stop));
    }

    [Fact]
    public async Task Without_a_token_with_a_wrong_one_or_one_for_looking_nothing_is_done()
    {
        using var nobody = Client(null);
        using var wrong = Client(new string('a', 64));
        foreach (var path in (string[])["/api/batches", "/api/accounts", "/api/accounts/1", "/api/hosts", "/metrics", "/openapi/v1.json", "/api/batches/1/results.csv"])
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync(path, Stop)).StatusCode);
            Assert.Equal(HttpStatusCode.Unauthorized, (await wrong.GetAsync(path, Stop)).StatusCode);
        }

        using var action = new StringContent("""{ "action": "cancel", "batch": 1 }""", Encoding.UTF8, "application/json");
        Assert.Equal(HttpStatusCode.Forbidden, (await lookers.PostAsync("/api/actions", action, Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await lookers.PutAsync("/api/hosts/x", new StringContent("{}", Encoding.UTF8, "application/json"), Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await SubmitAsync("x", Job(), Rows("a"), by: lookers)).Status);
        Assert.Empty(await store.ReadBatchesAsync(Stop));
        Assert.Equal("ok\n", await nobody.GetStringAsync("/healthz", Stop));
        Assert.Equal("ready\n", await nobody.GetStringAsync("/readyz", Stop));
    }

    [Fact]
    public async Task A_token_that_was_taken_out_of_the_file_is_worth_nothing_from_then_on()
    {
        Assert.True((await lookers.GetAsync("/api/batches", Stop)).IsSuccessStatusCode);
        File.WriteAllLines(dir["tokens"], File.ReadAllLines(dir["tokens"]).Where(l => !l.StartsWith("bob", StringComparison.Ordinal)));
        Assert.Equal(HttpStatusCode.Unauthorized, (await lookers.GetAsync("/api/batches", Stop)).StatusCode);
        Assert.DoesNotContain(lookers.DefaultRequestHeaders.Authorization!.Parameter!, await File.ReadAllTextAsync(dir["tokens"], Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_of_another_site_gets_nothing_by_a_name_that_leads_here_or_by_a_form_of_its_own()
    {
        using var rebound = new HttpRequestMessage(HttpMethod.Get, "/healthz") { Headers = { Host = "evil.example" } };
        Assert.Equal(HttpStatusCode.BadRequest, (await operators.SendAsync(rebound, Stop)).StatusCode);
        // A web page of another site can't make the browser act for the user. (1) The page can't send a bearer token, and requests without
        // a token are refused. (2) The page can send forms, but a form is not accepted where JSON is expected.
        using var nobody = Client(null);
        using var json = new StringContent("""{ "action": "cancel", "batch": 1 }""", Encoding.UTF8, "application/json");
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.PostAsync("/api/actions", json, Stop)).StatusCode);
        using var form = new FormUrlEncodedContent([new("action", "cancel"), new("batch", "1")]);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await operators.PostAsync("/api/actions", form, Stop)).StatusCode);
        using var list = new MultipartFormDataContent { { new StringContent("x"), "name" } };
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.PostAsync("/api/batches", list, Stop)).StatusCode);
        using var answer = await operators.GetAsync("/api/batches", Stop);
        Assert.Contains("default-src 'none'", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Theory]
    [InlineData("user,password\nalice,\n", "the cell of 'password' is empty")]
    [InlineData("user,password\nalice,x\nalice,y\n", "accounts.csv:3")]
    [InlineData("user,password\nali\n", "has 1 cells")]
    [InlineData("user\nalice\n", "no column 'password'")]
    [InlineData("\0\0\0\0", "accounts.csv")]
    [InlineData("", "header")]
    public async Task A_mistake_in_the_rows_is_told_by_its_line_and_nothing_is_taken_in(string rows, string said)
    {
        var (status, body) = await SubmitAsync("bad", Job(), rows);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains(said, JsonDocument.Parse(body).RootElement.ToString().Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Empty(await store.ReadBatchesAsync(Stop));
    }

    [Theory]
    [InlineData("password_command: cat /etc/shadow", "password_command")]
    [InlineData("password_file: /etc/shadow", "password_file")]
    [InlineData("password_env: HOME", "password_env")]
    [InlineData("tunnel_command: sh, password: x", "tunnel_command")]
    [InlineData("\"Password_Command\": x, password: x", "Password_Command")]
    [InlineData("<<: { password_command: id }", "password_command")]
    [InlineData("tls_ca_file: /etc/passwd, password: x", "tls_ca_file")]
    public async Task Nothing_that_reaches_into_the_workers_machines_is_taken_in(string keys, string named)
    {
        var job = Job().Replace("password: \"{password}\", connections: 2", keys, StringComparison.Ordinal);
        var (status, body) = await SubmitAsync("bad", job, Rows("alice"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains(named, body, StringComparison.Ordinal);
        Assert.Empty(await store.ReadBatchesAsync(Stop));
    }

    [Fact]
    public async Task Mail_lies_on_the_workers_disks_only_where_they_allow_it()
    {
        string To(string place) => Job()[..Job().IndexOf("target:", StringComparison.Ordinal)] + $"target: {{ url: \"maildir:{place}/{{user}}\" }}\n";
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await SubmitAsync("bad", To("/etc"), Rows("alice"))).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await SubmitAsync("bad", To(dir["mail"] + "/../other"), Rows("alice"))).Status);
        var (status, body) = await SubmitAsync("good", To(dir["mail"]), Rows("alice"));
        Assert.True(status == HttpStatusCode.OK, body);
    }

    [Fact]
    public async Task A_list_that_is_only_checked_is_not_taken_in_and_a_large_one_is_refused()
    {
        var (status, body) = await SubmitAsync("one", Job(), Rows("alice"), check: true);
        Assert.True(status == HttpStatusCode.OK, body);
        Assert.Empty(await store.ReadBatchesAsync(Stop));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await SubmitAsync("big", Job(), new string('x', Api.LargestUpload + 1))).Status);
    }

    [Theory]
    [InlineData("0 0 2 * * ?", "Europe/Vienna", HttpStatusCode.OK)]
    [InlineData("0 0 2 * * ?", "Nowhere/City", HttpStatusCode.UnprocessableEntity)]
    [InlineData("every night", "UTC", HttpStatusCode.UnprocessableEntity)]
    public async Task A_schedule_is_read_before_anything_is_taken_in(string schedule, string zone, HttpStatusCode expected)
    {
        Assert.Equal(expected, (await SubmitAsync("nightly", Job(), Rows("alice"), schedule: schedule, zone: zone)).Status);
        var batches = await store.ReadBatchesAsync(Stop);
        Assert.Equal(expected == HttpStatusCode.OK, batches.SingleOrDefault()?.NextRun is not null);
    }

    [Fact]
    public async Task Hostile_names_are_data()
    {
        string[] users = ["<script>alert(1)</script>", "x'); drop table account; --"];
        var rows = "name,user,password\n" + string.Concat(users.Select((u, i) => $"n{i},\"{u}\",{Secret}\n"));
        var (status, body) = await SubmitAsync("<b>", Job().Replace("name: \"{user}\"", "name: \"{name}\"", StringComparison.Ordinal), rows);
        Assert.True(status == HttpStatusCode.OK, body);
        using var page = await lookers.GetAsync("/api/accounts?text=" + Uri.EscapeDataString("drop table"), Stop);
        Assert.Equal("application/json", page.Content.Headers.ContentType!.MediaType);
        var found = JsonDocument.Parse(await page.Content.ReadAsStringAsync(Stop)).RootElement.GetProperty("accounts");
        Assert.Equal((1, "n1"), (found.GetArrayLength(), found[0].GetProperty("name").GetString()));
        Assert.DoesNotContain("<script", await lookers.GetStringAsync("/api/accounts", Stop), StringComparison.Ordinal);
        foreach (var odd in (string[])["sort=';drop", "sort=7", "after=x", "after=1.x&sort=copied", "after=-1.2"])
            Assert.Equal(HttpStatusCode.BadRequest, (await lookers.GetAsync("/api/accounts?" + odd, Stop)).StatusCode);
    }

    [Fact]
    public async Task What_would_concern_every_account_of_every_list_has_to_be_said()
    {
        await SubmitAsync("one", Job(), Rows("alice"));
        using var action = new StringContent("""{ "action": "cancel" }""", Encoding.UTF8, "application/json");
        Assert.Equal(HttpStatusCode.BadRequest, (await operators.PostAsync("/api/actions", action, Stop)).StatusCode);
        Assert.Equal(AccountStatus.Due, Assert.Single((await store.ReadAccountsAsync(new AccountPage(new AccountFilter()), Stop)).Accounts).Status);
    }

    public async ValueTask DisposeAsync()
    {
        operators.Dispose();
        lookers.Dispose();
        await app.DisposeAsync();
        await store.DisposeAsync();
        dir.Dispose();
    }

    private static string Rows(params string[] users) => "user,password\n" + string.Concat(users.Select(u => $"{u},{Secret}\n"));

    private static string Job() => """
        jobs:
          - name: "{user}"
            for_each: accounts.csv
            source: { url: "imaps://{user}@old.example", password: "{password}", connections: 2 }
            target: { url: "imaps://{user}@new.example", password: "{password}" }
        hosts:
          old.example: { connections: 7 }
        """.ReplaceLineEndings("\n") + "\n";

    private HttpClient Client(string? token)
    {
        var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        if (token is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    private async Task<(HttpStatusCode Status, string Body)> SubmitAsync(string name, string job, string rows, bool check = false, string schedule = "", string zone = "", HttpClient? by = null)
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent(job), "job", "job.yaml" },
            { new StringContent(rows), "accounts", "accounts.csv" },
            { new StringContent(name), "name" },
            { new StringContent(check ? "true" : ""), "check" },
            { new StringContent(schedule), "schedule" },
            { new StringContent(zone), "zone" },
        };
        // With Expect: 100-continue, the server can refuse the request before the body is sent.
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/batches") { Content = form };
        request.Headers.ExpectContinue = true;
        using var answer = await (by ?? operators).SendAsync(request, Stop);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop));
    }

    private async Task<string> PostAsync(string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await operators.PostAsync(path, content, Stop);
        return await answer.Content.ReadAsStringAsync(Stop);
    }
}
