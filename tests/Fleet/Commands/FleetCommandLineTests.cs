using System.Net;
using System.Net.Sockets;
using Imapsync.Fleet.Commands;
using Imapsync.Tests.Support;

namespace Imapsync.Fleet.Tests.Commands;

public sealed class FleetCommandLineTests : IDisposable
{
    private readonly TempDir dir = new();

    [Theory]
    [InlineData("--grace", "-5")]
    [InlineData("--tls-cert", "no.pem")]
    public async Task A_mistake_of_an_option_is_a_message(string option, string value)
    {
        dir.Write("no.pem", "nothing");
        using var error = new StringWriter();
        var given = value.EndsWith(".pem", StringComparison.Ordinal) ? dir[value] : value;
        Assert.Equal(1, await FleetCommandLine.InvokeAsync(["serve", "--data", dir["data"], "--listen", "127.0.0.1:0", option, given], TextWriter.Null, error));
        Assert.NotEqual("", error.ToString());
    }

    [Fact]
    public async Task An_answer_that_is_no_JSON_is_a_message()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var error = new StringWriter();
        var running = FleetCommandLine.InvokeAsync(["status", "--url", $"http://{listener.LocalEndpoint}", "--token-file", dir.Write("token", "a-token")], TextWriter.Null, error);
        using var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n<ht>"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Equal(1, await running);
        Assert.NotEqual("", error.ToString());
    }

    public void Dispose() => dir.Dispose();
}
