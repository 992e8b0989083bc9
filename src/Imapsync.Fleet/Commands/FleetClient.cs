using System.CommandLine;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Imapsync.Engine.Configuration;
using Imapsync.Fleet.Serving;

namespace Imapsync.Fleet.Commands;

/// <summary>The client of the fleet's HTTP API that the commands use, with the server's address and the user's token.</summary>
internal sealed class FleetClient : IDisposable
{
    private readonly HttpClient http;

    private FleetClient(HttpClient http) => this.http = http;

    public async Task<T> GetAsync<T>(string path, CancellationToken cancellationToken) => await ReadAsync<T>(await http.GetAsync(path, cancellationToken), cancellationToken);

    public Task<byte[]> GetBytesAsync(string path, CancellationToken cancellationToken) => http.GetByteArrayAsync(path, cancellationToken);

    public async Task<T> PostAsync<T>(string path, object request, CancellationToken cancellationToken) =>
        await ReadAsync<T>(await http.PostAsJsonAsync(path, request, FleetServer.Json, cancellationToken), cancellationToken);

    public async Task<T> PostFormAsync<T>(string path, MultipartFormDataContent form, CancellationToken cancellationToken) =>
        await ReadAsync<T>(await http.PostAsync(path, form, cancellationToken), cancellationToken);

    public async Task DeleteAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await http.DeleteAsync(path, cancellationToken);
        if (!response.IsSuccessStatusCode)
            await ThrowAsync(response, cancellationToken);
    }

    public async Task<T> DeleteAsync<T>(string path, CancellationToken cancellationToken) => await ReadAsync<T>(await http.DeleteAsync(path, cancellationToken), cancellationToken);

    /// <summary>Sends a request whose answer arrives bit by bit over a longer time, as server-sent events.</summary>
    public async IAsyncEnumerable<T> FollowAsync<T>(string path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!response.IsSuccessStatusCode)
            await ThrowAsync(response, cancellationToken);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        await foreach (var item in SseParser.Create(stream, (_, octets) => JsonSerializer.Deserialize<T>(octets, FleetServer.Json)!).EnumerateAsync(cancellationToken))
            yield return item.Data;
    }

    public void Dispose() => http.Dispose();

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using (response)
        {
            if (!response.IsSuccessStatusCode)
                await ThrowAsync(response, cancellationToken);
            return (await response.Content.ReadFromJsonAsync<T>(FleetServer.Json, cancellationToken))!;
        }
    }

    private static async Task ThrowAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.Conflict or HttpStatusCode.UnprocessableEntity or HttpStatusCode.TooManyRequests && response.Content.Headers.ContentType?.MediaType == "application/json"
            && await response.Content.ReadFromJsonAsync<Refusal>(FleetServer.Json, cancellationToken) is { } refusal)
        {
            throw response.StatusCode == HttpStatusCode.Conflict
                ? new FleetException($"{refusal.Message}; {string.Join('\n', refusal.Errors)}")
                : new ConfigurationException([new ConfigurationError(new SettingOrigin("imapsync-fleet"), refusal.Message, string.Join('\n', refusal.Errors))]);
        }

        throw new FleetException(response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => "the token is not known; give another as --token-file or IMAPSYNC_FLEET_TOKEN ('imapsync-fleet token' makes one)",
            HttpStatusCode.Forbidden => "this token may only look; 'imapsync-fleet token NAME --role operate' makes one that may do this",
            HttpStatusCode.RequestEntityTooLarge => $"the list is larger than {Api.LargestUpload >> 20} MiB; split it",
            _ => $"the server answered {(int)response.StatusCode} {response.ReasonPhrase}",
        });
    }

    internal sealed class Options
    {
        private readonly Option<string> url = new("--url") { Description = "Where the fleet's server is; or IMAPSYNC_FLEET_URL.", HelpName = "URL" };
        private readonly Option<string> tokenFile = new("--token-file") { Description = "A file with the token; or the variable IMAPSYNC_FLEET_TOKEN.", HelpName = "FILE" };

        public Options(Command command)
        {
            command.Add(url);
            command.Add(tokenFile);
        }

        public FleetClient Open(ParseResult parsed)
        {
            var address = parsed.GetValue(url) ?? (Environment.GetEnvironmentVariable("IMAPSYNC_FLEET_URL") is { Length: > 0 } given ? given : "http://127.0.0.1:8140");
            if (!Uri.TryCreate(address, UriKind.Absolute, out var place) || place.Scheme is not ("http" or "https"))
                throw new FleetException($"'{address}' is no URL; write it like https://fleet.example");
            if (place.Scheme == "http" && !place.IsLoopback)
                throw new FleetException($"{place} would take the token and passwords through the network in clear text; use https");
            var token = parsed.GetValue(tokenFile) is { } file ? File.ReadAllText(file).Trim() : Environment.GetEnvironmentVariable("IMAPSYNC_FLEET_TOKEN") ?? "";
            if (token.Length == 0)
                throw new FleetException("a token is needed: give --token-file or IMAPSYNC_FLEET_TOKEN");
            // A proxy from the environment could read a request in clear text, so only https goes through a proxy.
            var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = place.Scheme == "https" }) { BaseAddress = place, Timeout = TimeSpan.FromMinutes(5) };
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
            // With "Expect: 100-continue" a refusal arrives before the body is sent, so it can be read.
            http.DefaultRequestHeaders.ExpectContinue = true;
            return new FleetClient(http);
        }
    }
}
