using System.Net;
using System.Text.RegularExpressions;

namespace Imapsync.Fleet.Tests.Dashboard;

/// <summary>A browser without script: it keeps cookies, follows no redirection, and submits forms with the hidden fields of the page.</summary>
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
    public async Task<(HttpStatusCode Status, string Body, HttpResponseMessage Answer)> PostAsync(string page, string path, (string Name, string Value)[] fields, params (string Name, string Value)[] headers) =>
        await SendAsync(path, [.. fields, ("__RequestVerificationToken", await TokenOfAsync(page))], headers);

    /// <summary>Posts a form with exactly these fields, without the page's hidden token.</summary>
    public async Task<(HttpStatusCode Status, string Body, HttpResponseMessage Answer)> SendAsync(string path, (string Name, string Value)[] fields, params (string Name, string Value)[] headers)
    {
        using var form = new FormUrlEncodedContent(fields.Select(f => KeyValuePair.Create(f.Name, f.Value)));
        return await SendAsync(path, form, headers);
    }

    /// <summary>Posts a form with files, and with the hidden token of a page; null for none.</summary>
    public async Task<(HttpStatusCode Status, string Body, HttpResponseMessage Answer)> UploadAsync(
        string? page, string path, (string Name, string Value)[] fields, (string Name, string File, byte[] Octets)[] files, params (string Name, string Value)[] headers)
    {
        using var form = new MultipartFormDataContent();
        foreach (var (name, value) in fields)
            form.Add(new StringContent(value), name);
        if (page is not null)
            form.Add(new StringContent(await TokenOfAsync(page)), "__RequestVerificationToken");
        foreach (var (name, file, octets) in files)
            form.Add(new ByteArrayContent(octets), name, file);
        return await SendAsync(path, form, headers);
    }

    private async Task<(HttpStatusCode Status, string Body, HttpResponseMessage Answer)> SendAsync(string path, HttpContent form, (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = form };
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        var answer = await http.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(), answer);
    }

    private async Task<string> TokenOfAsync(string page) => WebUtility.HtmlDecode(FormToken().Match((await GetAsync(page)).Body).Groups[1].Value);

    public Task<(HttpStatusCode Status, string Body, HttpResponseMessage Answer)> SignInAsync(string token, string back = "/") =>
        PostAsync("/sign-in", "/sign-in?back=" + Uri.EscapeDataString(back), [("token", token)]);

    public void Dispose() => http.Dispose();

    [GeneratedRegex("name=\"__RequestVerificationToken\" type=\"hidden\" value=\"([^\"]*)\"")]
    private static partial Regex FormToken();
}
