using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Imapsync.Engine.SigningIn;

/// <summary>Listens on a loopback port for the browser that delivers the response to an authorization request (RFC 8252 §7.3).</summary>
internal sealed class LoopbackRedirect : IDisposable
{
    private const int Tries = 20;

    private readonly HttpListener listener;

    private LoopbackRedirect(HttpListener listener, string host, int port, string path) =>
        (this.listener, Port, Address) = (listener, port, $"http://{host}:{port}{path}");

    public int Port { get; }

    /// <summary>The redirect URI as sent to the authorization server.</summary>
    public string Address { get; }

    /// <summary>Starts listening on a free port.</summary>
    public static LoopbackRedirect Start(string host, string path)
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort();
            var opened = new HttpListener();
            opened.Prefixes.Add($"http://{host}:{port}/");
            try
            {
                opened.Start();
                return new LoopbackRedirect(opened, host, port, path);
            }
            catch (HttpListenerException) when (attempt < Tries)
            {
                // Another process took the port after it was found free, so the loop tries another.
                opened.Close();
            }
        }
    }

    /// <summary>
    /// Waits for the first request with the right <c>state</c> parameter and returns all its parameters. Any web page or local program can
    /// send requests without it; these are ignored.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, string>> WaitAsync(string state, CancellationToken cancellationToken)
    {
        while (true)
        {
            var request = await listener.GetContextAsync().WaitAsync(cancellationToken);
            var query = request.Request.QueryString;
            var isOurs = request.Request.HttpMethod == "GET"
                && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(query["state"] ?? ""), Encoding.UTF8.GetBytes(state));
            await AnswerAsync(request.Response, isOurs, query["error"] is null);
            if (isOurs)
                return query.AllKeys.OfType<string>().ToDictionary(k => k, k => query[k] ?? "", StringComparer.Ordinal);
        }
    }

    public void Dispose() => listener.Close();

    private static async Task AnswerAsync(HttpListenerResponse response, bool isOurs, bool isGood)
    {
        var text = !isOurs ? "This is not the answer that imapsync waits for." : isGood ? "Done. You can close this page and go back to imapsync." : "imapsync was not let in. You can close this page.";
        var octets = Encoding.UTF8.GetBytes($"<!doctype html><meta charset=utf-8><title>imapsync</title><p>{text}</p>");
        response.StatusCode = isOurs ? 200 : 400;
        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength64 = octets.Length;
        response.Headers["Cache-Control"] = "no-store";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.KeepAlive = false;
        try
        {
            await response.OutputStream.WriteAsync(octets);
            response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or IOException)
        {
            // The browser has disconnected; the parameters of its request are still used.
        }
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
