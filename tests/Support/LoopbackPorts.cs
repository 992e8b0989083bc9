using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Imapsync.Tests.Support;

/// <summary>Finds ports for servers that can't pick a free one themselves.</summary>
public static class LoopbackPorts
{
    /// <summary>Returns a port at which nobody listens now; another process may take it.</summary>
    public static int Free() => TakeTwo().First;

    /// <summary>Returns two ports that are free now; another process may take them before the server does.</summary>
    public static (int First, int Second) TakeTwo()
    {
        using var first = new TcpListener(IPAddress.Loopback, 0);
        using var second = new TcpListener(IPAddress.Loopback, 0);
        first.Start();
        second.Start();
        return (((IPEndPoint)first.LocalEndpoint).Port, ((IPEndPoint)second.LocalEndpoint).Port);
    }

    /// <summary>Waits for a server's greeting while its process is alive.</summary>
    public static async Task<bool> GreetsAsync(int port, Process process)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        for (var i = 0; i < 1000 && !process.HasExited; i++)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port);
                var buffer = new byte[64];
                if (await client.GetStream().ReadAsync(buffer) > 0)
                    return true;
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                // The server does not accept connections yet.
            }

            await timer.WaitForNextTickAsync();
        }

        return false;
    }
}
