using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Preflights;
using Imapsync.Fleet.Serving;
using Imapsync.Fleet.Submitting;
using Imapsync.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging.Abstractions;

namespace Imapsync.Fleet.Tests.Serving;

/// <summary>
/// Preflights (checks of all accounts of a list) over real HTTP, at a mail server that accepts connections and sends nothing.
/// </summary>
public sealed class PreflightApiTests : IAsyncLifetime
{
    private readonly TempDir dir = new();
    private readonly TcpListener silent = new(IPAddress.Loopback, 0);
    private FleetStore store = null!;
    private BatchReader reader = null!;
    private WebApplication app = null!;
    private HttpClient operators = null!;
    private HttpClient lookers = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Job => $$"""
        jobs:
          - name: "{user}"
            for_each: accounts.csv
            source: { url: "imap://{user}@127.0.0.1:{{((IPEndPoint)silent.LocalEndpoint).Port}}", tls: none, password: "{password}" }
            target: { url: "imaps://{user}@new.invalid", password: "{password}" }
            retry: { attempts: 1 }
        hosts:
          new.invalid: { connections: 1 }
        """.ReplaceLineEndings("\n");

    public async ValueTask InitializeAsync()
    {
        silent.Start();
        store = await FleetStore.OpenFileAsync(dir["fleet.db"], null, Stop);
        var tokens = new Tokens(dir["tokens"]);
        reader = new BatchReader(Seal.Open(dir["keys"]), new BatchRules(trusted: false, [], new Dictionary<string, string>()));
        app = FleetServer.Build(new IPEndPoint(IPAddress.Loopback, 0), null, store, reader, tokens, dir["keys"]);
        await app.StartAsync(Stop);
        (operators, lookers) = (Client(tokens.Add("ann", Role.Operate)), Client(tokens.Add("bob", Role.Look)));
    }

    [Fact]
    public async Task It_goes_on_after_its_request_until_it_is_cancelled_and_then_forgotten()
    {
        using var answer = await PostAsync(operators, "user,password\na,x\nb,y\nc\n");
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var path = answer.Headers.Location!.ToString();
        using (await silent.AcceptTcpClientAsync(Stop))
        {
            Assert.Equal(("running", 1, 1), await StandAsync(path));
            Assert.Equal(HttpStatusCode.Conflict, (await lookers.GetAsync(path + "/results.csv", Stop)).StatusCode);
            Assert.Equal(HttpStatusCode.Forbidden, (await lookers.PostAsync(path + "/cancel", null, Stop)).StatusCode);
            Assert.Equal(HttpStatusCode.NoContent, (await operators.PostAsync(path + "/cancel", null, Stop)).StatusCode);
            await EndsAsync(path);
        }

        Assert.Equal(("cancelled", 1, 1), await StandAsync(path));
        var table = await lookers.GetStringAsync(path + "/results.csv", Stop);
        Assert.StartsWith("user,result,reason\r\na,unchecked,\r\nb,unchecked,\r\n,failed,", table, StringComparison.Ordinal);
        Assert.Contains("\"line\":4", await lookers.GetStringAsync(path + "/rows?result=failed", Stop), StringComparison.Ordinal);
        Assert.Equal("[]", await lookers.GetStringAsync(path + "/rows?result=failed&after=3", Stop));
        Assert.Equal(HttpStatusCode.NoContent, (await operators.DeleteAsync(path, Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await lookers.GetAsync(path, Stop)).StatusCode);
    }

    [Fact]
    public async Task A_host_that_the_fleet_leaves_alone_is_not_signed_in_to()
    {
        var batch = reader.Read(Job, "user,password\na,x\n"u8.ToArray());
        await store.SubmitAsync(new NewBatch("one", batch.Job, 0, null, "UTC", IsPaused: true) { HostConnections = batch.HostConnections }, batch.Accounts, Stop);
        Assert.True(await store.LimitHostAsync("new.invalid", 0, Stop));
        using var answer = await PostAsync(operators, "user,password\na,x\n");
        var path = answer.Headers.Location!.ToString();
        await EndsAsync(path);
        Assert.Contains("leaves new.invalid alone", await lookers.GetStringAsync(path + "/rows", Stop), StringComparison.Ordinal);
        Assert.False(silent.Pending());
    }

    [Fact]
    public async Task A_list_is_taken_in_after_its_check_only_if_every_row_can_be_run()
    {
        // Nobody listens at the port of the source.
        var job = Job.Replace($":{((IPEndPoint)silent.LocalEndpoint).Port}", $":{LoopbackPorts.Free()}", StringComparison.Ordinal);
        using (var form = Form("user,password\na,x\n", job))
        {
            form.Add(new StringContent("one"), "name");
            form.Add(new StringContent("signin"), "check");
            using var answer = await operators.PostAsync("/api/batches", form, Stop);
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            var path = answer.Headers.Location!.ToString();
            await EndsAsync(path);
            Assert.Equal(("ended", 1, 1), await StandAsync(path));
            Assert.Contains("nothing was taken in", await lookers.GetStringAsync(path, Stop), StringComparison.Ordinal);
            Assert.Empty(await store.ReadBatchesAsync(Stop));
        }
    }

    [Fact]
    public async Task A_list_can_be_checked_once_it_is_there()
    {
        Assert.Equal(HttpStatusCode.NotFound, (await OfBatchAsync(operators, 1)).StatusCode);
        var batch = reader.Read(Job, "user,password\na,x\nb,y\n"u8.ToArray());
        var id = (await store.SubmitAsync(new NewBatch("one", batch.Job, 0, null, "UTC", IsPaused: true), batch.Accounts, Stop)).Batch;
        Assert.True(await store.LimitHostAsync("new.invalid", 0, Stop));
        Assert.Equal(HttpStatusCode.Forbidden, (await OfBatchAsync(lookers, id)).StatusCode);
        using var begun = await OfBatchAsync(operators, id);
        Assert.Equal(HttpStatusCode.Accepted, begun.StatusCode);
        await EndsAsync(begun.Headers.Location!.ToString());
        Assert.Equal(("ended", 2, 2), await StandAsync(begun.Headers.Location!.ToString()));
        Assert.Contains("leaves new.invalid alone", await lookers.GetStringAsync(begun.Headers.Location + "/rows", Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_breaks_off_is_ended_and_says_so()
    {
        var file = dir["elsewhere.db"];
        await using var gone = await FleetStore.OpenFileAsync(file, null, Stop);
        await using var desk = new PreflightDesk(gone, TimeProvider.System, NullLogger<PreflightDesk>.Instance);
        await gone.DisposeAsync();
        foreach (var path in Directory.EnumerateFiles(dir.Path, "elsewhere.db*"))
            File.Delete(path);
        var csv = "user,password\na,x\n"u8.ToArray();
        Assert.NotNull(desk.Begin(new PreflightRequest(reader.ReadJobs(Job, csv, keepsBadRows: true), WithSizes: false, Parallel: 1, csv), out var id));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        while (desk.Find(id)!.IsRunning)
            await timer.WaitForNextTickAsync(Stop);
        Assert.Contains("broke off", desk.Find(id)!.View.Problem, StringComparison.Ordinal);
        Assert.Equal("unchecked", Assert.Single(desk.Find(id)!.Page(null, 0, 10)).Result);
    }

    [Fact]
    public async Task Only_who_may_operate_begins_one_and_a_job_that_reaches_into_the_machine_is_refused()
    {
        Assert.Equal(HttpStatusCode.Forbidden, (await PostAsync(lookers, "user,password\na,x\n")).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await PostAsync(operators, "user,password\na,x\n", Job.Replace("password: \"{password}\"", "password_command: id", StringComparison.Ordinal))).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await PostAsync(operators, "user,password\na,x\n", parallel: "51")).StatusCode);
        Assert.False(silent.Pending());
    }

    [Fact]
    public async Task It_is_ended_and_gone_after_a_day()
    {
        var clocks = new DayClocks();
        await using var desk = new PreflightDesk(store, clocks, NullLogger<PreflightDesk>.Instance);
        var csv = "user,password\na,x\n"u8.ToArray();
        Assert.NotNull(desk.Begin(new PreflightRequest(reader.ReadJobs(Job, csv, keepsBadRows: true), WithSizes: false, Parallel: 1, csv), out var id));
        Assert.NotNull(desk.Find(id));
        clocks.PassDay();
        Assert.Null(desk.Find(id));
    }

    public async ValueTask DisposeAsync()
    {
        operators.Dispose();
        lookers.Dispose();
        await app.DisposeAsync();
        await store.DisposeAsync();
        silent.Dispose();
        dir.Dispose();
    }

    private async Task<(string State, int Checked, int Failed)> StandAsync(string path)
    {
        using var view = JsonDocument.Parse(await lookers.GetStringAsync(path, Stop));
        return (view.RootElement.GetProperty("state").GetString()!, view.RootElement.GetProperty("checked").GetInt32(), view.RootElement.GetProperty("failed").GetInt32());
    }

    /// <summary>Waits until a preflight runs no more.</summary>
    private async Task EndsAsync(string path)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        while ((await StandAsync(path)).State == "running")
            await timer.WaitForNextTickAsync(Stop);
    }

    private async Task<HttpResponseMessage> PostAsync(HttpClient by, string rows, string? job = null, string parallel = "1")
    {
        using var form = Form(rows, job, parallel);
        return await by.PostAsync("/api/preflights", form, Stop);
    }

    private MultipartFormDataContent Form(string rows, string? job = null, string parallel = "1") =>
        new() { { new StringContent(job ?? Job), "job", "job.yaml" }, { new StringContent(rows), "accounts", "accounts.csv" }, { new StringContent(parallel), "parallel" } };

    private static async Task<HttpResponseMessage> OfBatchAsync(HttpClient by, long batch)
    {
        using var request = new StringContent("{ \"parallel\": 1 }", System.Text.Encoding.UTF8, "application/json");
        return await by.PostAsync($"/api/batches/{batch}/preflights", request, Stop);
    }

    private HttpClient Client(string token) => new() { BaseAddress = new Uri(app.Urls.First()), DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };

    /// <summary>A clock on which a timer of one day fires only when the test calls <see cref="PassDay"/>.</summary>
    private sealed class DayClocks : TimeProvider
    {
        private Action? passed;

        public void PassDay() => passed!();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime == PreflightDesk.Kept)
                passed = () => callback(state);
            return base.CreateTimer(callback, state, dueTime, period);
        }
    }
}
