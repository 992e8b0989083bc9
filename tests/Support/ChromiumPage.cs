using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Imapsync.Tests.Support;

/// <summary>
/// A page in a real Chromium, controlled by the Chrome DevTools Protocol (https://chromedevtools.github.io/devtools-protocol/).
/// </summary>
public sealed class ChromiumPage : IAsyncDisposable
{
    // The timeout is long because the machine may be busy with other work.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3), Pause = TimeSpan.FromMilliseconds(50);

    private readonly ClientWebSocket line = new();
    private int calls;

    private ChromiumPage()
    {
    }

    /// <summary>
    /// Writes a script for the BROWSER variable, which opens a URL in a headless Chromium with its profile in the directory.
    /// </summary>
    public static string WriteBrowser(TempDir dir, string name)
    {
        var profile = dir.Create(name + "-profile");
        return dir.WriteProgram(
            name,
            $"""
            echo $$ > '{profile}/pid'
            exec chromium --headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync --no-first-run \
              --remote-debugging-port=0 --user-data-dir='{profile}' "$1"
            """);
    }

    /// <summary>Waits for the page that a script of <see cref="WriteBrowser"/> opens, and returns it.</summary>
    public static async Task<ChromiumPage> AttachAsync(TempDir dir, string name)
    {
        var profile = dir[name + "-profile"];
        var page = new ChromiumPage();
        try
        {
            using var http = new HttpClient();
            await UntilAsync(async () =>
            {
                // The browser writes this file when it accepts connections.
                if (!File.Exists(Path.Combine(profile, "DevToolsActivePort")) || await File.ReadAllLinesAsync(Path.Combine(profile, "DevToolsActivePort")) is not [var port, _, ..])
                    return false;
                var targets = JsonNode.Parse(await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/json/list")))!.AsArray();
                if (targets.FirstOrDefault(t => (string?)t!["type"] == "page" && ((string?)t["url"])?.StartsWith("http", StringComparison.Ordinal) == true) is not { } target)
                    return false;
                await page.line.ConnectAsync(new Uri((string)target["webSocketDebuggerUrl"]!), CancellationToken.None);
                return true;
            }, "the browser shows a page");
            return page;
        }
        catch
        {
            page.line.Dispose();
            throw;
        }
    }

    /// <summary>Ends the browser that a script of <see cref="WriteBrowser"/> started, if any.</summary>
    public static void End(TempDir dir, string name)
    {
        var pid = Path.Combine(dir[name + "-profile"], "pid");
        if (!File.Exists(pid))
            return;
        try
        {
            using var browser = System.Diagnostics.Process.GetProcessById(int.Parse(File.ReadAllText(pid), CultureInfo.InvariantCulture));
            browser.Kill(entireProcessTree: true);
            browser.WaitForExit();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // The browser has already ended.
        }
    }

    /// <summary>Evaluates a JavaScript expression in the page and returns its value as text.</summary>
    public async Task<string> EvaluateAsync(string expression)
    {
        var id = ++calls;
        var call = new JsonObject { ["id"] = id, ["method"] = "Runtime.evaluate", ["params"] = new JsonObject { ["expression"] = $"String({expression})" } };
        await line.SendAsync(Encoding.UTF8.GetBytes(call.ToJsonString()), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        while (true)
        {
            var answer = await ReadAsync();
            if ((int?)answer["id"] == id)
                return (string?)answer["result"]?["result"]?["value"] ?? "";
        }
    }

    /// <summary>Waits until the page, or the page to which it leads, shows the text.</summary>
    public Task SeesAsync(string text) =>
        UntilAsync(async () => (await EvaluateAsync("document.body ? document.body.innerText : ''")).Contains(text, StringComparison.Ordinal), $"the page shows '{text}'");

    public ValueTask DisposeAsync()
    {
        line.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(started) > Patience)
                throw new TimeoutException($"waited in vain until {what}");
            await Task.Delay(Pause, TimeProvider.System);
        }
    }

    private async Task<JsonNode> ReadAsync()
    {
        using var message = new MemoryStream();
        var buffer = new byte[8192];
        WebSocketReceiveResult part;
        do
        {
            part = await line.ReceiveAsync(buffer, CancellationToken.None);
            message.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return JsonNode.Parse(message.ToArray())!;
    }
}
