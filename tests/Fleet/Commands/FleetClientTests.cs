using System.Net;
using System.Net.Sockets;
using Imapsync.Fleet.Tests.Runs;
using Imapsync.Tests.Support;

namespace Imapsync.Fleet.Tests.Commands;

public sealed class FleetClientTests
{
    [Theory]
    [InlineData("http_proxy")]
    [InlineData("all_proxy")]
    public async Task No_proxy_gets_the_token_in_clear_text(string variable)
    {
        using var dir = new TempDir();
        using var proxy = new TcpListener(IPAddress.Loopback, 0);
        proxy.Start();
        // Connections to this port are refused, because the socket is bound to it but does not listen.
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var running = FleetProcess.RunAsync(dir.Path, new Dictionary<string, string>
        {
            [variable] = $"http://127.0.0.1:{((IPEndPoint)proxy.LocalEndpoint).Port}",
            ["no_proxy"] = "",
            ["IMAPSYNC_FLEET_URL"] = $"http://127.0.0.1:{((IPEndPoint)taken.LocalEndPoint!).Port}",
            ["IMAPSYNC_FLEET_TOKEN"] = "a-token",
        }, "status");
        using var ended = new CancellationTokenSource();
        var asked = proxy.AcceptTcpClientAsync(ended.Token).AsTask();
        if (await Task.WhenAny(running, asked) == asked)
        {
            using var client = await asked;
            client.Close();
            proxy.Stop();
            Assert.Fail($"the proxy was asked\n{(await running).Words}");
        }

        Assert.Equal(1, (await running).Status);
        await ended.CancelAsync();
    }
}
