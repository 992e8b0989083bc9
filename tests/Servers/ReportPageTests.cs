using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using Imapsync.Engine.History;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>The page of <c>imapsync report --html</c> in a real browser without any network.</summary>
public sealed class ReportPageTests : IAsyncLifetime
{
    private const string Evil = "\"><img src=http://evil.example/x.png onerror=\"document.title='owned'\"><script>document.title='owned'</script>";

    private static readonly string[] Subjects =
    [
        "<script>document.title='owned'</script>", Evil, "'\"><svg/onload=document.title='owned'>", "\u202Eevil gnp.exe", "&lt;b&gt;not bold&amp;", new string('W', 10_000),
        "שלום עולם mixed with english", "</style><style>*{display:none}", "javascript:document.title='owned'", "Grüße aus 台北 🎉", "a\u0007b\u001b[31mc", "<!--", "]]>", "</title></head>",
    ];

    private readonly TempDir dir = new();

    public async ValueTask InitializeAsync()
    {
        var mail = new MaildirWriter(dir.Create("backup"));
        for (var i = 0; i < 200; i++)
        {
            var from = i % 3 == 0 ? "Ann Author <ann@example.org>" : i % 7 == 0 ? $"\"{Evil.Replace("\"", "'", StringComparison.Ordinal)}\" <evil@example.net>" : $"=?utf-8?q?J=C3=B6rg_{i % 11}?= <j{i % 11}@example.org>";
            var text = $"From: {from}\r\nSubject: {i}\r\nDate: Mon, 05 Feb 2024 09:00:00 +0000\r\n\r\n{new string('x', 100 + (i * 37 % 900))}\r\n";
            mail.Add(i % 4 == 0 ? "Lists/dev" : "INBOX", Encoding.UTF8.GetBytes(text), new DateTimeOffset(2016 + (i % 10), 5, 5, 5, 5, 5, TimeSpan.Zero), "S");
        }

        dir.Write("jobs.yaml", $$"""
            jobs:
              - name: alice
                source: { url: imaps://alice@imap.example.com, password_file: /nowhere }
                target: { url: "maildir:{{dir["backup"]}}" }
                state: {{dir["alice"]}}
              - name: bob
                source: { url: "maildir:{{dir["nowhere"]}}" }
                target: { url: imaps://bob@imap.example.com, password_file: /nowhere }
                state: {{dir["bob"]}}
              - name: carol
                source: { url: "maildir:{{dir["there"]}}" }
                target: { url: "mbox:{{dir["mbox"]}}" }
                state: {{dir["carol"]}}
            """);
        await FillAsync("alice", 120, fails: i => i is 30 or 31 or 80);
        await FillAsync("bob", 40, fails: i => i >= 37);
    }

    [Fact]
    public async Task The_page_loads_nothing_runs_nothing_and_shows_what_was_hostile_as_text()
    {
        var page = await WriteAsync();
        var text = await File.ReadAllTextAsync(page, TestContext.Current.CancellationToken);
        Assert.DoesNotContain("<script", text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<img", text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(new string('W', 400), text, StringComparison.Ordinal);
        Assert.DoesNotContain('\u202E', text);

        var net = dir["net.json"];
        var (dom, log) = await BrowseAsync("--dump-dom", $"--log-net-log={net}", page);

        Assert.Contains("<title>imapsync report</title>", dom, StringComparison.Ordinal);
        Assert.Contains("What failed", dom, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;document.title='owned'&lt;/script&gt;", dom, StringComparison.Ordinal);
        Assert.Contains("Grüße aus 台北 🎉", dom, StringComparison.Ordinal);
        Assert.Contains("Most frequent senders", dom, StringComparison.Ordinal);
        Assert.Contains("ann@example.org", dom, StringComparison.Ordinal);
        Assert.DoesNotContain("CONSOLE", log, StringComparison.Ordinal);
        Assert.DoesNotContain("evil.example", await File.ReadAllTextAsync(net, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_browsers_witness_would_see_a_request_and_a_script_that_fails()
    {
        // The test above relies on the browser's logs. They must show it if a page loads something external or a script fails.
        var page = dir.Write("bad.html", "<!DOCTYPE html><title>x</title><img src=http://evil.example/x.png><script>console.error('seen')</script>");
        var net = dir["net-bad.json"];
        var (_, log) = await BrowseAsync("--dump-dom", $"--log-net-log={net}", page);
        Assert.Contains("CONSOLE", log, StringComparison.Ordinal);
        Assert.Contains("evil.example", await File.ReadAllTextAsync(net, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1280, 2600)]
    [InlineData(400, 6000)]
    public async Task Nothing_is_wider_than_the_window(int width, int height)
    {
        var page = await WriteAsync();
        // The page itself has no script; this test adds one to measure the page's width.
        var text = (await File.ReadAllTextAsync(page, TestContext.Current.CancellationToken)).Replace("default-src 'none'", "default-src 'none'; script-src 'unsafe-inline'", StringComparison.Ordinal);
        var frame = dir.Write("measured.html", text.Replace("</body>", "<script>document.title = 'width ' + document.documentElement.scrollWidth + ' of ' + innerWidth</script></body>", StringComparison.Ordinal));
        // A browser window can't be narrower than 500 pixels, but a frame can.
        var outer = dir.Write($"frame-{width}.html", $"<!DOCTYPE html><body style=margin:0><iframe id=f src=measured.html style=border:0;width:{width}px;height:{height}px></iframe>"
            + "<script>f.onload = () => { document.title = f.contentDocument.title; }</script>");
        var (dom, _) = await BrowseAsync("--allow-file-access-from-files", "--virtual-time-budget=5000", "--dump-dom", outer);
        Assert.Contains($"<title>width {width} of {width}</title>", dom, StringComparison.Ordinal);
        Assert.True(File.Exists(frame));

        var picture = dir[$"page-{width}.png"];
        await BrowseAsync($"--window-size={Math.Max(500, width)},{height}", $"--screenshot={picture}", outer);
        Assert.InRange(new FileInfo(picture).Length, 20_000, 10_000_000);
        Keep(picture);
    }

    [Fact]
    public async Task It_can_be_printed()
    {
        var paper = dir["page.pdf"];
        await BrowseAsync("--no-pdf-header-footer", $"--print-to-pdf={paper}", await WriteAsync());
        Assert.StartsWith("%PDF", Encoding.Latin1.GetString(await File.ReadAllBytesAsync(paper, TestContext.Current.CancellationToken)), StringComparison.Ordinal);
        Keep(paper);
    }

    [Fact]
    public async Task The_same_is_told_as_text_with_controls_made_visible()
    {
        var result = await ImapsyncAsync("report", dir["jobs.yaml"]);
        Assert.True(result.Status == 0, result.ToString());
        Assert.Contains("What failed", result.Output, StringComparison.Ordinal);
        Assert.Contains("SENDER", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', result.Output);
        Assert.DoesNotContain('\u202E', result.Output);

        Assert.DoesNotContain("SENDER", (await ImapsyncAsync("report", dir["jobs.yaml"], "--no-scan")).Output, StringComparison.Ordinal);
        Assert.Equal(1, (await ImapsyncAsync("report", dir["jobs.yaml"], "--html", dir["nowhere/page.html"])).Status);
    }

    public ValueTask DisposeAsync()
    {
        dir.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<string> WriteAsync()
    {
        var result = await ImapsyncAsync("report", dir["jobs.yaml"], "--html", dir["page.html"]);
        Assert.True(result.Status == 0, result.ToString());
        Assert.Equal("", result.Output);
        return dir["page.html"];
    }

    private async Task<ImapsyncResult> ImapsyncAsync(params string[] arguments)
    {
        await using var process = ImapsyncProcess.Start(dir.Create("home"), arguments);
        return await process.WaitAsync();
    }

    /// <summary>Runs a browser without name server or working proxy, and returns its output and network log.</summary>
    private async Task<(string Output, string Log)> BrowseAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("chromium")
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["HOME"] = dir.Create("browser") },
        };
        string[] quiet =
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--hide-scrollbars",
            $"--user-data-dir={dir["profile-" + Path.GetRandomFileName()]}", "--enable-logging=stderr", "--v=0", "--proxy-server=127.0.0.1:9", "--host-resolver-rules=MAP * ~NOTFOUND",
        ];
        foreach (var argument in (string[])[.. quiet, .. arguments[..^1], "file://" + arguments[^1]])
            start.ArgumentList.Add(argument);
        using var browser = Process.Start(start)!;
        var log = browser.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await browser.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await browser.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(browser.ExitCode == 0, await log);
        return (output, await log);
    }

    /// <summary>Copies the screenshot, for a person to look at, to the directory in an environment variable, if set.</summary>
    private static void Keep(string file)
    {
        if (Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_PAGES") is { Length: > 0 } place)
            File.Copy(file, Path.Combine(place, Path.GetFileName(file)), overwrite: true);
    }

    private async Task FillAsync(string job, int runs, Func<int, bool> fails)
    {
        var time = new SetTime(TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(runs));
        var history = new JobHistory(dir[job], time);
        var random = new Random(4711);
        long messages = 18_000;
        for (var run = 0; run < runs; run++)
        {
            var begun = await history.BeginAsync(HistoryKind.Run, makesState: true, TestContext.Current.CancellationToken);
            time.Now += TimeSpan.FromSeconds(20 + random.Next(400));
            var copied = random.Next(60) + (run % 30 == 0 ? 500 : 0);
            messages += copied - random.Next(20);
            if (run != runs / 2)
                await history.EndAsync(begun!.End(Report(time.Now, messages, copied, fails(run)), fails(run) ? 3 : 0), TestContext.Current.CancellationToken);
            time.Now += TimeSpan.FromHours(24);
        }
    }

    private static JobReport Report(DateTimeOffset now, long messages, int copied, bool fails)
    {
        ImmutableArray<string> names = ["INBOX", "Sent", "Lists/dev", "Archive/2024", Evil, "\u202Ereversed", new string('f', 250), "Папка/Входящие", "Work/Projects/Alpha/Deeply/Nested/Name/Of/A/Folder"];
        var folders = names.Select((n, i) =>
        {
            var path = FolderPath.TryParse(n, out var parsed) ? parsed : new FolderPath(n);
            return new FolderReport(path, path, new FolderCounts
            {
                SourceMessages = messages / (i + 2),
                Copied = i == 0 ? copied : 0,
                AlreadyPresent = (messages / (i + 2)) - (i == 0 ? copied : 0),
                Bytes = i == 0 ? copied * 43_000L : 0,
                Failed = fails && i == 0 ? 3 : 0,
            });
        }).ToImmutableArray();
        ImmutableArray<Problem> problems = fails
            ? [.. Subjects.Select((s, i) => new Problem(FailureScope.Message, folders[i % folders.Length].Source, (uint)(i + 17), "refused", $"NO [LIMIT] {s}") { Envelope = new Envelope(s, i % 2 == 0 ? s : null, "sender@example.org", now.AddDays(-1)) })]
            : [];
        return new JobReport("alice", fails ? JobOutcome.Incomplete : JobOutcome.Ok, now, now, folders.Aggregate(new FolderCounts(), (sum, f) => sum + f.Counts), folders, problems, []);
    }

    private sealed class SetTime(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
