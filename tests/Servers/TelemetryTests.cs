using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Spans and metrics sent by OTLP, received by a private server and decoded without a library.</summary>
public sealed class TelemetryTests
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string Key = "key-4711-of-the-collector";

    private const ulong StatusOk = 1, StatusError = 2;

    private static readonly MailboxPlan Few = new() { Messages = 30 };

    [Fact]
    public async Task A_run_is_a_span_with_one_for_each_folder_below_it_and_its_figures_are_those_of_the_Prometheus_file()
    {
        await using var lab = await BackupLab.StartAsync(Few);
        await using var collector = HttpReceiver.Start(null);
        lab.Environment[Endpoint] = collector.Url;
        lab.Environment["OTEL_EXPORTER_OTLP_HEADERS"] = $"x-api-key={Key}";
        lab.Environment["OTEL_RESOURCE_ATTRIBUTES"] = "deployment.environment=test";

        var outcome = await lab.SucceedAsync("--metrics-file", lab.Dir["figures.prom"]);

        Assert.DoesNotContain("telemetry", outcome.Error, StringComparison.Ordinal);
        Assert.All(collector.Seen, r => Assert.Equal(("POST", "application/x-protobuf", Key), (r.Method, r.Headers["Content-Type"], r.Headers["x-api-key"])));
        var resource = Requests(collector, "/v1/traces").First().Messages(1, 1).Single().Attributes(1);
        Assert.Equal(("imapsync", "test"), (resource["service.name"], resource["deployment.environment"]));
        Assert.NotEmpty(resource["service.version"]);

        var spans = Spans(collector);
        var job = Assert.Single(spans, s => s.Text(5) == "imapsync.job");
        var attributes = job.Attributes(9);
        Assert.Equal(("alice", "ok", "30", "0"), (attributes["imapsync.job"], attributes["imapsync.outcome"], attributes["imapsync.copied_messages"], attributes["imapsync.failed_messages"]));
        Assert.Equal(StatusOk, Status(job));
        Assert.Empty(job.Octets(4));
        Assert.True(job.Number(8) > job.Number(7));

        var folders = spans.Where(s => s.Text(5) == "imapsync.folder").ToList();
        Assert.Equal(outcome.Job.GetProperty("folders").GetArrayLength(), folders.Count);
        Assert.Equal(30, folders.Sum(f => long.Parse(f.Attributes(9)["imapsync.copied_messages"], CultureInfo.InvariantCulture)));
        Assert.All(folders, f =>
        {
            Assert.Equal(Convert.ToHexString(job.Octets(1)), Convert.ToHexString(f.Octets(1)));
            Assert.Equal(Convert.ToHexString(job.Octets(2)), Convert.ToHexString(f.Octets(4)));
            Assert.Equal(StatusOk, Status(f));
            Assert.True(f.Number(7) >= job.Number(7) && f.Number(8) <= job.Number(8), "a folder's span lies in its job's");
        });

        var file = (await File.ReadAllLinesAsync(lab.Dir["figures.prom"], TestContext.Current.CancellationToken)).Where(l => l[0] != '#').Order(StringComparer.Ordinal);
        Assert.Equal(file, Figures(collector).Order(StringComparer.Ordinal));
        NothingIsShown(lab, collector);

        // A run that finds nothing new opens no folder, so it adds its own span but no span of a folder.
        await lab.SucceedAsync();
        Assert.Equal(folders.Count, Spans(collector).Count(s => s.Text(5) == "imapsync.folder"));
        Assert.Equal(2, Spans(collector).Count(s => s.Text(5) == "imapsync.job"));
    }

    [Fact]
    public async Task A_job_that_fails_is_an_error_with_its_reason_and_without_the_servers_words()
    {
        await using var lab = await BackupLab.StartAsync(Few);
        await using var collector = HttpReceiver.Start(null);
        lab.Environment[Endpoint] = collector.Url;
        lab.Environment[BackupLab.PasswordVariable] = "wrong-password-55";
        Assert.Equal(12, (await lab.RunAsync()).Status);
        var job = Assert.Single(Spans(collector));
        Assert.Equal(StatusError, Status(job));
        Assert.Equal("failed", job.Attributes(9)["imapsync.outcome"]);
        var problem = Assert.Single(job.Messages(11));
        Assert.Equal(("problem", "authentication", "store"), (problem.Text(2), problem.Attributes(3)["reason"], problem.Attributes(3)["scope"]));
        NothingIsShown(lab, collector);
    }

    /// <summary>The program waits for the collector only for a limited time. Otherwise these runs would not end.</summary>
    [Theory]
    [InlineData("refused", "refused")]
    [InlineData("hang", "there was no answer within 5 s")]
    [InlineData("status-503", "answered 503")]
    [InlineData("status-301", "answered 301")]
    public async Task A_collector_that_does_not_take_it_is_told_and_changes_nothing(string what, string told)
    {
        await using var lab = await BackupLab.StartAsync(Few);
        await using var collector = HttpReceiver.Start(null);
        lab.Environment[Endpoint] = $"http://someone:{Key}@127.0.0.1:{(what == "refused" ? LoopbackPorts.Free() : collector.Port)}/{what}";
        var outcome = await lab.SucceedAsync();
        Assert.Equal("ok", outcome.Outcome);
        Assert.Contains("telemetry could not be sent: ", outcome.Error, StringComparison.Ordinal);
        Assert.Contains(told, outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, outcome.Everything, StringComparison.Ordinal);
        await lab.TargetEqualsSourceAsync();
    }

    [Fact]
    public async Task A_run_that_is_stopped_while_the_collector_hangs_ends_as_it_would()
    {
        await using var lab = await BackupLab.StartAsync(Few);
        await using var collector = HttpReceiver.Start(null);
        lab.Environment[Endpoint] = $"{collector.Url}/hang";
        lab.Rules = "notify:\n  - command: echo asked >&2; exit 7\n    on: always";
        await using var run = lab.Start();
        await run.SeesErrorAsync("asked");
        run.Signal(PosixSignal.SIGTERM);
        run.Signal(PosixSignal.SIGTERM);
        var result = await run.WaitAsync();
        Assert.True(result.Status is 0 or 143, result.ToString());
        await lab.TargetEqualsSourceAsync();
    }

    [Theory]
    [InlineData(Endpoint, "collector:4317", "OTEL_EXPORTER_OTLP_ENDPOINT is no http:// or https:// URL")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "no pair but " + Key, "OpenTelemetry's variables can't be used")]
    public async Task Variables_that_can_not_be_right_are_told_and_the_run_goes_on(string name, string value, string told)
    {
        await using var lab = await BackupLab.StartAsync(Few);
        await using var collector = HttpReceiver.Start(null);
        lab.Environment[Endpoint] = collector.Url;
        lab.Environment[name] = value;
        var outcome = await lab.SucceedAsync();
        Assert.Contains(told, outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, outcome.Everything, StringComparison.Ordinal);
        Assert.Empty(collector.Seen);
        await lab.TargetEqualsSourceAsync();
    }

    [Fact]
    public async Task What_is_switched_off_is_not_sent()
    {
        await using var lab = await BackupLab.StartAsync(Few);
        await using var collector = HttpReceiver.Start(null);
        lab.Environment[Endpoint] = collector.Url;
        await lab.SucceedAsync("--dry-run");
        lab.Environment["OTEL_SDK_DISABLED"] = "true";
        await lab.SucceedAsync();
        Assert.Empty(collector.Seen);

        lab.Environment.Remove("OTEL_SDK_DISABLED");
        lab.Environment["OTEL_TRACES_EXPORTER"] = "none";
        await lab.SucceedAsync();
        Assert.NotEmpty(collector.Seen);
        Assert.All(collector.Seen, r => Assert.Equal("/v1/metrics", r.Target));

        lab.Environment.Remove(Endpoint);
        lab.Environment.Remove("OTEL_TRACES_EXPORTER");
        lab.Environment["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = collector.Url + "/only";
        lab.Environment["OTEL_EXPORTER_OTLP_TRACES_HEADERS"] = $"x-api-key={Key}";
        var before = collector.Seen.Count;
        await lab.SucceedAsync();
        Assert.All(collector.Seen.Skip(before), r => Assert.Equal(("/only", Key), (r.Target, r.Headers["x-api-key"])));
        Assert.True(collector.Seen.Count > before);
    }

    private static ulong Status(OtlpMessage span) => span.Messages(15).Single().Number(3);

    private static IEnumerable<OtlpMessage> Requests(HttpReceiver collector, string target) => collector.Seen.Where(r => r.Target == target).Select(r => new OtlpMessage(r.Octets));

    private static List<OtlpMessage> Spans(HttpReceiver collector) => [.. Requests(collector, "/v1/traces").SelectMany(r => r.Messages(1, 2, 2))];

    /// <summary>Returns the received metrics as lines of the Prometheus text file that the program writes.</summary>
    private static IEnumerable<string> Figures(HttpReceiver collector) =>
        from metric in Requests(collector, "/v1/metrics").SelectMany(r => r.Messages(1, 2, 2))
        from point in metric.Messages(5, 1)
        select string.Create(CultureInfo.InvariantCulture, $"{metric.Text(1)}{{job=\"{point.Attributes(7)["job"]}\"}} {point.Double(4):0.###}");

    private static void NothingIsShown(BackupLab lab, HttpReceiver collector)
    {
        foreach (var sent in collector.Seen.Select(r => Encoding.Latin1.GetString(r.Octets)))
        {
            foreach (var secret in new[] { lab.Environment[BackupLab.PasswordVariable], lab.Server.Password, "imap://", $"{lab.Line.Port}", lab.Dir.Path })
                Assert.DoesNotContain(secret, sent, StringComparison.Ordinal);
        }
    }
}
