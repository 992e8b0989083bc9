using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Fleet.Tests.Runs;

/// <summary>
/// A file of a gibibyte that is not an account list: the command and the server refuse it without reading all of it into memory. The
/// figures in docs/fleet.md are taken from the output of this test.
/// </summary>
public sealed class JunkTests
{
    private const long Gibibyte = 1L << 30;

    /// <summary>The limit of the processes' .NET heap in hexadecimal digits: 96 MiB. A process that needs more ends.</summary>
    private const string Heap = "0x6000000";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 180_000)]
    public async Task A_gibibyte_of_junk_is_refused_in_bounded_memory_however_it_comes()
    {
        using var dir = new TempDir();
        var environment = new Dictionary<string, string> { ["HOME"] = dir.Path, ["DOTNET_GCHeapHardLimit"] = Heap };
        await using var server = FleetProcess.Start(dir.Path, environment, "serve", "--data", dir["data"], "--listen", "127.0.0.1:0", "--slots", "0");
        var token = environment["IMAPSYNC_FLEET_TOKEN"] = await server.SeesAsync("token: ");
        var url = environment["IMAPSYNC_FLEET_URL"] = await server.SeesAsync("url: ");
        dir.Write("moves.yaml", "jobs:\n  - name: \"{user}\"\n    for_each: accounts.csv\n    source: { url: \"imaps://{user}@old.example\", password: x }\n    target: { url: \"imaps://{user}@new.example\", password: x }\n");
        await using (var junk = File.Create(dir["accounts.csv"]))
        {
            var octets = new byte[1 << 20];
            new Random(1).NextBytes(octets);
            await junk.WriteAsync(octets, Stop);
            // The rest of the file is a hole (a sparse file), so that the test needs little disk space.
            junk.SetLength(Gibibyte);
        }

        using var http = new HttpClient { BaseAddress = new Uri(url) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        await http.GetStringAsync("/api/batches", TestContext.Current.CancellationToken);
        var before = server.PeakOctets;
        foreach (var arguments in (string[][])[["submit", "moves.yaml"], ["submit", "moves.yaml", "--sign-in"], ["check", "moves.yaml"]])
        {
            var (status, words) = await FleetProcess.RunAsync(dir.Path, environment, arguments);
            Assert.True(status == 1, words);
            Assert.Contains("accounts.csv is larger than 64 MiB", words, StringComparison.Ordinal);
        }

        foreach (var path in (string[])["/api/batches", "/api/preflights", "/import"])
        {
            Assert.Equal(413, await SendAsync(new Uri(url), path, token, $"Content-Length: {Gibibyte}", sendsBody: false));
            Assert.Equal(411, await SendAsync(new Uri(url), path, token, "Transfer-Encoding: chunked", sendsBody: true));
        }

        // For /sign-in and /api/actions, a body of two megabytes is already too big.
        Assert.Equal(413, await SendAsync(new Uri(url), "/sign-in", token: null, "Content-Length: 2000000", sendsBody: false));
        Assert.Equal(411, await SendAsync(new Uri(url), "/sign-in", token: null, "Transfer-Encoding: chunked", sendsBody: true));
        Assert.Equal(413, await SendAsync(new Uri(url), "/api/actions", token, "Content-Length: 2000000", sendsBody: false));
        var grown = server.PeakOctets - before;
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"the server's peak of memory was {before / 1_000_000.0:0} MB before and {(before + grown) / 1_000_000.0:0} MB after"));
        Assert.True(grown < 64 << 20, $"{grown} octets more");
        Assert.Equal("[]", await http.GetStringAsync("/api/batches", Stop));
    }

    /// <summary>
    /// Posts a form, optionally with a gibibyte of junk as its body, and returns the status. Sending the body stops when the server answers
    /// or closes the connection.
    /// </summary>
    private static async Task<int> SendAsync(Uri server, string path, string? token, string length, bool sendsBody)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Port, Stop);
        await using var stream = client.GetStream();
        var authorization = token is null ? "" : $"Authorization: Bearer {token}\r\n";
        var head = $"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}Content-Type: multipart/form-data; boundary=x\r\n{length}\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), Stop);
        using var answered = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var sending = sendsBody ? SendBodyAsync(stream, answered.Token) : Task.CompletedTask;
        var answer = new byte[12];
        await stream.ReadExactlyAsync(answer, Stop);
        await answered.CancelAsync();
        await sending;
        return int.Parse(Encoding.ASCII.GetString(answer)[9..], CultureInfo.InvariantCulture);
    }

    private static async Task SendBodyAsync(NetworkStream stream, CancellationToken answered)
    {
        const int size = 1 << 20;
        var chunk = new byte[size];
        Array.Fill(chunk, (byte)'y');
        try
        {
            await stream.WriteAsync("100000\r\n"u8.ToArray(), answered);
            var first = Encoding.ASCII.GetBytes("--x\r\nContent-Disposition: form-data; name=\"accounts\"; filename=\"accounts.csv\"\r\n\r\n");
            first.CopyTo(chunk, 0);
            for (var sent = 0L; sent < Gibibyte; sent += size)
            {
                await stream.WriteAsync(chunk, answered);
                await stream.WriteAsync("\r\n100000\r\n"u8.ToArray(), answered);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The rest of the body is not sent, because the server has answered or has closed the connection.
        }
    }
}
