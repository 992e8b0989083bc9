using System.Net;
using System.Text.RegularExpressions;

namespace Imapsync.Fleet.Tests.Dashboard;

/// <summary>A browser without script: it keeps cookies, follows no redirection, and fills in forms as they stand in the page.</summary>
public sealed partial class DashboardClient : IDisposable
{
    private readonly HttpClient http;

    public DashboardClient(Uri address) => http = new HttpClient(new SocketsHttpHandler { CookieContainer = Cookies, AllowAutoRedirect = false }) { BaseAddress = address };

    public CookieContainer Cookies { get; } = new();

    public async Task<(HttpStatusCode Status, string Body, HttpResponseMessage Answer)> GetAsync(string path)
    {
        var answer = await http.GetAsync(path);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(), answer);
    }

    /// <summary>Posts a form with the hidden token of a page, as that page does.</summary>
    /// <param name="headers">Further headers of the request, name and value.</param>
    public async Task<(HttpStatusCode Status, string Body, HttpResponseMessage Answer)> PostAsync(string page, string path, (string Name, string Value)[] fields, params (string Name, string Value)[] headers)
    {
        var (_, body, _) = await GetAsync(page);
        return await SendAsync(path, [.. fields, ("__RequestVerificationToken", WebUtility.HtmlDecode(FormToken().Match(body).Groups[1].Value))], headers);
    }

    /// <summary>Posts a form exactly so.</summary>
    public async Task<(HttpStatusCode Status, string Body, HttpResponseMessage Answer)> SendAsync(string path, (string Name, string Value)[] fields, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(fields.Select(f => KeyValuePair.Create(f.Name, f.Value))) };
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        var answer = await http.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(), answer);
    }

    public Task<(HttpStatusCode Status, string Body, HttpResponseMessage Answer)> SignInAsync(string token, string back = "/") =>
        PostAsync("/sign-in", "/sign-in?back=" + Uri.EscapeDataString(back), [("token", token)]);

    public void Dispose() => http.Dispose();

    [GeneratedRegex("name=\"__RequestVerificationToken\" type=\"hidden\" value=\"([^\"]*)\"")]
    private static partial Regex FormToken();
}
