using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Serving;
using Imapsync.Fleet.SigningIn;
using Imapsync.Fleet.Submitting;
using Imapsync.Tests.Support;
using Imapsync.Tests.Support.OAuth;
using Microsoft.AspNetCore.Builder;

namespace Imapsync.Fleet.Tests.SigningIn;

/// <summary>Signing in over real HTTP, by a browser that comes back with a code.</summary>
public sealed class SignInApiTests : IAsyncLifetime
{
    private readonly TempDir dir = new();
    private readonly AuthorizationServer server = AuthorizationServer.Start();
    private FleetStore store = null!;
    private WebApplication app = null!;
    private HttpClient operators = null!;
    private HttpClient lookers = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        store = await FleetStore.OpenFileAsync(dir["fleet.db"], null, Stop);
        var tokens = new Tokens(dir["tokens"]);
        var reader = new BatchReader(Seal.Open(dir["keys"]), new BatchRules(trusted: false, [], new Dictionary<string, string>()));
        app = FleetServer.Build(new IPEndPoint(IPAddress.Loopback, 0), null, store, reader, tokens, dir["keys"]);
        await app.StartAsync(Stop);
        (operators, lookers) = (Client(tokens.Add("ann", Role.Operate)), Client(tokens.Add("bob", Role.Look)));
        var batch = reader.Read($$"""
            jobs:
              - name: "{user}"
                for_each: accounts.csv
                source: { url: "imap://{user}@127.0.0.1:1", tls: none, oauth: { client_id: {{AuthorizationServer.ClientId}}, issuer: "{{server.Url}}", scopes: [mail.read], grant: code } }
                target: { url: "imap://{user}@127.0.0.1:2", tls: none, password: "{password}" }
            """, "user,password\nalice,x\n"u8.ToArray());
        await store.SubmitAsync(new NewBatch("moves", batch.Job, 0, null, "UTC", IsPaused: true), batch.Accounts, Stop);
    }

    [Fact]
    public async Task A_person_signs_in_by_a_browser_and_no_answer_shows_a_token()
    {
        var texts = new List<string> { await lookers.GetStringAsync("/api/accounts/1/sign-ins", Stop) };
        Assert.Contains("\"side\":\"source\"", texts[0], StringComparison.Ordinal);
        Assert.Contains("\"signed_in\":null", texts[0], StringComparison.Ordinal);
        await foreach (var happened in FollowAsync())
        {
            texts.Add(happened.ToString());
            Assert.Null(happened.Problem);
            if (Uri.TryCreate(happened.Text, UriKind.Absolute, out var address))
            {
                using var browser = new HttpClient();
                await browser.GetStringAsync(address, Stop);
            }
        }

        Assert.Contains("IsSignedIn = True", texts[^1], StringComparison.Ordinal);
        foreach (var path in (string[])["/api/accounts/1/sign-ins", "/api/accounts/1", "/api/accounts", "/api/batches", "/api/batches/1/results.csv", "/metrics"])
            texts.Add(await lookers.GetStringAsync(path, Stop));
        Assert.DoesNotContain("\"signed_in\":null", texts[^6], StringComparison.Ordinal);
        Assert.Equal(["authorization_code"], server.Grants);
        using var ended = await operators.DeleteAsync("/api/accounts/1/sign-ins/source", Stop);
        texts.Add(await ended.Content.ReadAsStringAsync(Stop));
        Assert.Equal("{\"outcome\":\"revoked\"}", texts[^1]);
        foreach (var file in Directory.EnumerateFiles(dir.Path, "fleet.db*"))
            texts.Add(System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, Stop)));
        Assert.All(texts, t => Assert.All(server.Secrets, s => Assert.DoesNotContain(s, t, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Who_may_look_signs_nobody_in_or_out_and_a_side_that_needs_nobody_is_none()
    {
        foreach (var (client, method, path, expected) in new[]
        {
            (lookers, HttpMethod.Post, "/api/accounts/1/sign-ins/source", HttpStatusCode.Forbidden),
            (lookers, HttpMethod.Delete, "/api/accounts/1/sign-ins/source", HttpStatusCode.Forbidden),
            (operators, HttpMethod.Post, "/api/accounts/1/sign-ins/target", HttpStatusCode.NotFound),
            (operators, HttpMethod.Delete, "/api/accounts/1/sign-ins/elsewhere", HttpStatusCode.NotFound),
            (operators, HttpMethod.Post, "/api/accounts/2/sign-ins/source", HttpStatusCode.NotFound),
            (lookers, HttpMethod.Get, "/api/accounts/2/sign-ins", HttpStatusCode.NotFound),
        })
        {
            using var answer = await client.SendAsync(new HttpRequestMessage(method, path), Stop);
            Assert.True(expected == answer.StatusCode, $"{method} {path}: {answer.StatusCode}");
        }

        Assert.Empty(server.Grants);
    }

    [Fact]
    public async Task A_connection_that_is_closed_ends_the_sign_in()
    {
        Uri? redirect = null;
        await foreach (var happened in FollowAsync())
        {
            if (!Uri.TryCreate(happened.Text, UriKind.Absolute, out var address))
                continue;
            redirect = new Uri(System.Web.HttpUtility.ParseQueryString(address.Query)["redirect_uri"]!);
            break;
        }

        // Wait until the port to which the browser would be redirected is closed.
        using var browser = new HttpClient();
        while (true)
        {
            try
            {
                using var answer = await browser.GetAsync(redirect, Stop);
            }
            catch (HttpRequestException)
            {
                break;
            }
        }

        Assert.Empty(server.Grants);
    }

    public async ValueTask DisposeAsync()
    {
        operators.Dispose();
        lookers.Dispose();
        await app.DisposeAsync();
        await store.DisposeAsync();
        server.Dispose();
        dir.Dispose();
    }

    private async IAsyncEnumerable<SignInEvent> FollowAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/accounts/1/sign-ins/source");
        using var answer = await operators.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await using var stream = await answer.Content.ReadAsStreamAsync(Stop);
        await foreach (var item in SseParser.Create(stream, (_, octets) => JsonSerializer.Deserialize<SignInEvent>(octets, FleetServer.Json)!).EnumerateAsync(Stop))
            yield return item.Data;
    }

    private HttpClient Client(string token)
    {
        var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }
}
