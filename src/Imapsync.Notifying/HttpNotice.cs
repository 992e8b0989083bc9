using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Notifying;

/// <summary>Pings and webhooks. Redirects are not followed, because they would send a secret URL or token to an unknown server.</summary>
internal static class HttpNotice
{
    /// <summary>The most octets sent with a ping; healthchecks.io keeps slightly fewer.</summary>
    private const int MostPingBytes = 10_000;

    /// <summary>
    /// POSTs the news as text: to the ping's URL after success, to <c>/start</c> below that URL at the beginning,
    /// to <c>/fail</c> after a failure.
    /// </summary>
    public static async Task PingAsync(Notice notice, PingMeans ping, News news, CancellationToken cancellationToken)
    {
        var url = new UriBuilder(await ReadUrlAsync(notice, ping.Url, cancellationToken));
        var below = news.Kind switch { NewsKind.Start => "/start", NewsKind.Failure => "/fail", _ => "" };
        if (below.Length > 0)
            url.Path = url.Path.TrimEnd('/') + below;
        var text = Encoding.UTF8.GetBytes(news.Text);
        await PostAsync(notice, url.Uri, text.AsMemory(0, Whole(text, MostPingBytes)), "text/plain", cancellationToken);
    }

    public static async Task PostAsync(Notice notice, WebhookMeans hook, News news, CancellationToken cancellationToken) =>
        await PostAsync(notice, await ReadUrlAsync(notice, hook.Url, cancellationToken), news.Json, "application/json", cancellationToken);

    /// <summary>How many octets to keep so that at most <paramref name="most"/> are left and no UTF-8 character is split.</summary>
    private static int Whole(byte[] text, int most)
    {
        if (text.Length <= most)
            return text.Length;
        while (most > 0 && (text[most] & 0xC0) == 0x80)
            most--;
        return most;
    }

    private static async Task<Uri> ReadUrlAsync(Notice notice, SecretReference reference, CancellationToken cancellationToken)
    {
        var text = (await reference.ReadAsync(cancellationToken)).Reveal().Trim();
        return NoticeUrl.WhyNone(text, notice.IsClearText) is { } why
            ? throw new NoticeException($"{reference}: {why}", isTransient: false)
            : new Uri(text, UriKind.Absolute);
    }

    private static async Task PostAsync(Notice notice, Uri url, ReadOnlyMemory<byte> body, string type, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = TrustedAuthorities.Policy(notice.TlsCaFile),
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            },
        };
        using var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        using var content = new ReadOnlyMemoryContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue(type) { CharSet = "utf-8" };
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = content };
        request.Headers.UserAgent.ParseAdd("imapsync");
        try
        {
            // Only the status matters, so the answer's body is not read.
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (!answer.IsSuccessStatusCode)
                throw new NoticeException($"{url.Host} answered {(int)answer.StatusCode}", answer.StatusCode >= HttpStatusCode.InternalServerError || answer.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout);
        }
        catch (HttpRequestException e) when (e.GetBaseException() is AuthenticationException or System.Security.Cryptography.CryptographicException)
        {
            throw new NoticeException($"no TLS with {url.Host}: {e.GetBaseException().Message}", isTransient: false, e);
        }
        catch (HttpRequestException e)
        {
            throw new NoticeException($"{url.Host}: {e.GetBaseException().Message}", isTransient: true, e);
        }
    }
}
