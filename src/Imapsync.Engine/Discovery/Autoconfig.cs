using System.Collections.Immutable;

namespace Imapsync.Engine.Discovery;

/// <summary>Fetches the autoconfig document that a domain publishes, over HTTPS only.</summary>
/// <param name="web">Sends the HTTP requests.</param>
internal sealed class Autoconfig(HttpMessageInvoker web, TimeProvider time)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Returns the URLs where the document may be published, that of the dedicated host first.</summary>
    public static IReadOnlyList<Uri> PlacesOf(string domain) =>
    [
        new($"https://autoconfig.{domain}/mail/config-v1.1.xml"),
        new($"https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml"),
    ];

    /// <summary>
    /// Creates an HTTP client that limits what a hostile server can do: few redirects, none from HTTPS to HTTP, no cookies, small headers.
    /// </summary>
    public static HttpMessageInvoker Web() => new(new SocketsHttpHandler
    {
        ConnectTimeout = Timeout,
        MaxAutomaticRedirections = 3,
        MaxResponseHeadersLength = 32,
        UseCookies = false,
    });

    /// <summary>Returns the servers listed in the document; empty when there is no document or it can't be read.</summary>
    public async Task<ImmutableArray<FoundServer>> AskAsync(Uri place, string address, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, place);
            using var answer = await web.SendAsync(request, either.Token);
            return answer.IsSuccessStatusCode ? AutoconfigDocument.Read(await ReadAsync(answer.Content, either.Token), address) : [];
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // Any failure (DNS, connection, certificate, timeout, size) counts as no document.
            return [];
        }
    }

    private static async Task<Stream> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        await using var body = await content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[AutoconfigDocument.MaxBytes + 1];
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return length <= AutoconfigDocument.MaxBytes ? new MemoryStream(buffer, 0, length, writable: false) : throw new InvalidDataException("the document is too long");
    }
}
