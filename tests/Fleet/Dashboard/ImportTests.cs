using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Imapsync.Fleet.Tests.Runs;
using Imapsync.Tests.Support;

namespace Imapsync.Fleet.Tests.Dashboard;

/// <summary>
/// Account lists uploaded through the web pages over real HTTP: mistakes are reported by line, and the limits on uploads are enforced.
/// </summary>
public sealed class ImportTests : IAsyncLifetime
{
    private const string Job = """
        jobs:
          - name: "{user}"
            for_each: accounts.csv
            source: { url: "imaps://{user}@old.invalid", password: "{password}" }
            target: { url: "imaps://{user}@new.invalid", password: "{password}" }

        """;

    private DashboardLab lab = null!;
    private DashboardClient ann = null!;
    private DashboardClient bob = null!;

    public async ValueTask InitializeAsync()
    {
        lab = await DashboardLab.StartAsync();
        (ann, bob) = await lab.SignInBothAsync();
    }

    [Fact]
    public async Task A_list_with_mistakes_is_told_of_each_by_line_and_nothing_is_taken_in()
    {
        var (status, body, _) = await UploadAsync(ann, "submit", "user,password\nalice,secret-1\n\"<script>alert(1)</script>\nbob\"\nbob\n");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains("nothing was taken in", body, StringComparison.Ordinal);
        Assert.Contains("accounts.csv:", body, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>alert", body, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-1", body, StringComparison.Ordinal);
        Assert.Contains("value=\"spring\"", body, StringComparison.Ordinal);
        Assert.Contains("password_command", (await UploadAsync(ann, "check", "user,password\na,b\n", Job.Replace("password: \"{password}\"", "password_command: id", StringComparison.Ordinal))).Body, StringComparison.Ordinal);
        Assert.Contains("the list has no name", (await UploadAsync(ann, "submit", "user,password\na,b\n", name: " ")).Body, StringComparison.Ordinal);
        Assert.Contains("schedule can&#x27;t be read", (await UploadAsync(ann, "submit", "user,password\na,b\n", schedule: "often")).Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, (await UploadAsync(ann, "drop", "user,password\na,b\n")).Status);
        Assert.Empty(await lab.Store.ReadBatchesAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_list_is_submitted_at_once_with_what_the_form_says_of_it()
    {
        var (status, _, answer) = await UploadAsync(ann, "submit", "user,password\nalice,x\nbob,y\n", schedule: "0 0 2 * * ?");
        Assert.Equal((HttpStatusCode.Redirect, "/accounts?batch=1"), (status, answer.Headers.Location!.OriginalString));
        Assert.Contains("2 accounts submitted.", (await ann.GetAsync("/accounts?batch=1")).Body, StringComparison.Ordinal);
        var batch = Assert.Single(await lab.Store.ReadBatchesAsync(TestContext.Current.CancellationToken));
        Assert.Equal(("spring", 7, "0 0 2 * * ?", "Europe/Vienna", true), (batch.Name, batch.Priority, batch.Schedule, batch.Zone, batch.IsPaused));
    }

    [Fact]
    public async Task Who_may_only_look_another_site_and_a_forged_form_import_nothing()
    {
        Assert.DoesNotContain("type=\"file\"", (await bob.GetAsync("/import")).Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await UploadAsync(bob, "submit", "user,password\na,b\n")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await UploadAsync(ann, "submit", "user,password\na,b\n", headers: ("Sec-Fetch-Site", "cross-site"))).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await UploadAsync(ann, "submit", "user,password\na,b\n", page: null)).Status);
        var check = (await UploadAsync(ann, "check", "user,password\na,b\n")).Answer.Headers.Location!.OriginalString;
        Assert.Equal(HttpStatusCode.Forbidden, (await bob.PostAsync("/", check, [("act", "submit")])).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await bob.PostAsync("/", check, [("act", "discard")])).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await ann.SendAsync(check, [("act", "submit")])).Status);
        Assert.Equal(HttpStatusCode.OK, (await bob.GetAsync(check)).Status);
        foreach (var odd in (string[])["/import/nothing", check + "?result=none", check + "?after=x", "/import/nothing/checked.csv"])
            Assert.Equal(HttpStatusCode.NotFound, (await ann.GetAsync(odd)).Status);
        Assert.Empty(await lab.Store.ReadBatchesAsync(TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.Redirect, (await ann.PostAsync("/", check, [("act", "discard")])).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await ann.GetAsync(check)).Status);
    }

    [Fact]
    public async Task A_gigabyte_and_what_does_not_say_how_large_it_is_are_refused_before_they_come_and_the_log_has_a_line_of_each()
    {
        using var dir = new TempDir();
        await using var server = FleetProcess.Start(dir.Path, new Dictionary<string, string> { ["HOME"] = dir.Path }, "serve", "--data", dir["data"], "--listen", "127.0.0.1:0", "--slots", "0");
        var token = await server.SeesAsync("token: ");
        var address = new Uri(await server.SeesAsync("url: "));
        using var client = new DashboardClient(address);
        await client.SignInAsync(token);
        var cookies = client.Cookies.GetCookieHeader(address);
        var answer = await RawAsync(address, $"POST /import HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: {1L << 30}\r\n\r\n", 0);
        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
        Assert.Contains("What is uploaded may have 64 MiB", answer, StringComparison.Ordinal);
        var grown = await RawAsync(address, $"POST /api/batches HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked\r\n\r\n", 70);
        Assert.StartsWith("HTTP/1.1 411 ", grown, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/import")).Status);
        await server.SignalAsync("TERM");
        await server.WaitAsync();
        Assert.Contains("POST /import was refused with status 413: 1073741824 octets were announced, and 67108864 are taken", server.Words, StringComparison.Ordinal);
        Assert.Contains("POST /api/batches was refused with status 411", server.Words, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", server.Words, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", server.Words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Junk_of_almost_the_largest_size_is_refused_with_few_words()
    {
        var junk = new byte[60 << 20];
        new Random(7).NextBytes(junk);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await UploadAsync(ann, "submit", junk)).Status);
        var lines = Encoding.ASCII.GetBytes("user,password\n" + string.Concat(Enumerable.Repeat("\n\"x\n", 12 << 20)));
        var (status, body, _) = await UploadAsync(ann, "check", lines);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.InRange(body.Length, 1, 200_000);
    }

    public async ValueTask DisposeAsync()
    {
        ann.Dispose();
        bob.Dispose();
        await lab.DisposeAsync();
    }

    private static Task<(HttpStatusCode Status, string Body, HttpResponseMessage Answer)> UploadAsync(
        DashboardClient by, string act, string rows, string job = Job, string name = "spring", string schedule = "", string? page = "/", params (string, string)[] headers) =>
        UploadAsync(by, act, Encoding.UTF8.GetBytes(rows), job, name, schedule, page, headers);

    private static Task<(HttpStatusCode Status, string Body, HttpResponseMessage Answer)> UploadAsync(
        DashboardClient by, string act, byte[] rows, string job = Job, string name = "spring", string schedule = "", string? page = "/", params (string, string)[] headers) =>
        by.UploadAsync(
            page, "/import", [("act", act), ("name", name), ("priority", "7"), ("schedule", schedule), ("zone", "Europe/Vienna"), ("paused", "true")],
            [("job", "job.yaml", Encoding.UTF8.GetBytes(job)), ("accounts", "accounts.csv", rows)], headers);

    /// <summary>Sends a request's head and a number of MiB in chunks, and reads the answer to its end. The server may close before all was sent.</summary>
    private static async Task<string> RawAsync(Uri address, string head, int mebibytes)
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, address.Port, TestContext.Current.CancellationToken);
        var stream = tcp.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), TestContext.Current.CancellationToken);
        var sending = SendAsync();
        var answer = new StringBuilder();
        var buffer = new byte[8192];
        try
        {
            for (int read; (read = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken)) > 0;)
                answer.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
        catch (IOException) when (answer.Length > 0)
        {
            // The server may close the connection before it has received all octets, because it has already sent its answer.
        }

        await sending;
        return answer.ToString();

        async Task SendAsync()
        {
            var chunk = Encoding.ASCII.GetBytes("100000\r\n" + new string('x', 1 << 20) + "\r\n");
            try
            {
                for (var i = 0; i < mebibytes; i++)
                    await stream.WriteAsync(i == 0 ? First() : chunk, TestContext.Current.CancellationToken);
            }
            catch (IOException)
            {
                // The server may close the connection before it has received everything. The test only checks its answer.
            }
        }

        static byte[] First()
        {
            const string part = "--x\r\nContent-Disposition: form-data; name=\"accounts\"; filename=\"a.csv\"\r\n\r\n";
            return Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{part.Length:x}\r\n{part}\r\n"));
        }
    }
}
