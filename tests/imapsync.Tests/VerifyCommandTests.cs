using System.Text.Json;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;
using Imapsync.Tests.Support;

namespace Imapsync.CommandLine.Tests;

/// <summary>The command <c>verify</c> with two Maildirs that no run has seen.</summary>
public sealed class VerifyCommandTests : CommandLineFixture
{
    private readonly string source;
    private readonly string target;
    private readonly string jobs;

    public VerifyCommandTests()
    {
        (source, target) = (Path.Combine(Directory, "source"), Path.Combine(Directory, "target"));
        jobs = Write("verify.yaml", """
            jobs:
              - name: alice
                source: { url: "maildir:source" }
                target: { url: "maildir:target" }
                state: state
            """);
        for (var i = 1; i <= 3; i++)
        {
            Deliver(source, $"m{i}");
            Deliver(target, $"m{i}");
        }

        OpenRealStore = StoreRegistry.Opener;
    }

    [Fact]
    public async Task Equal_mailboxes_end_with_0()
    {
        Assert.Equal(0, await InvokeAsync("verify", jobs, "--full"));
        Assert.StartsWith("alice  3 messages verified: no difference · ", Out, StringComparison.Ordinal);
        Assert.Single(Out.TrimEnd().Split('\n'));
        Assert.False(System.IO.Directory.Exists(Path.Combine(Directory, "state")));
    }

    [Fact]
    public async Task Each_finding_is_a_line_and_the_end_is_one_too()
    {
        Differ();
        Assert.Equal(3, await InvokeAsync("verify", jobs, "--full"));
        var lines = Out.TrimEnd().Split('\n');
        Assert.Equal(4, lines.Length);
        Assert.Contains(lines, l => l.StartsWith("alice: different: INBOX, UID 1, at the target INBOX, UID 1: first at octet ", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("alice: missing: INBOX, UID 3: \"m3\": not at the target", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("alice: extra: at the target INBOX, UID ", StringComparison.Ordinal) && l.EndsWith("[for information]", StringComparison.Ordinal));
        Assert.StartsWith("alice  3 messages verified: 1 missing, 1 extra, 1 different · ", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_gets_a_line_a_finding_then_the_summary_and_all_of_it_in_the_report()
    {
        Differ();
        var report = Path.Combine(Directory, "report.json");
        Assert.Equal(3, await InvokeAsync("verify", jobs, "--full", "--output", "json", "--report", report));
        var lines = Out.TrimEnd().Split('\n').Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal(["different", "extra", "missing"], lines[..^1].Select(l => l.GetProperty("kind").GetString()).Order(StringComparer.Ordinal));
        Assert.All(lines[..^1], l => Assert.Equal("finding", l.GetProperty("event").GetString()));
        var missing = lines.First(l => l.TryGetProperty("kind", out var kind) && kind.GetString() == "missing");
        Assert.Equal((3u, JsonValueKind.Null, false), (missing.GetProperty("source_uid").GetUInt32(), missing.GetProperty("target_uid").ValueKind, missing.GetProperty("information").GetBoolean()));
        Assert.Equal("summary", lines[^1].GetProperty("event").GetString());
        AssertTotals(lines[^1].GetProperty("jobs")[0]);
        Assert.Equal((3, 2), (lines[^1].GetProperty("totals").GetProperty("messages").GetInt32(), lines[^1].GetProperty("totals").GetProperty("differences").GetInt32()));

        using var document = JsonDocument.Parse(await File.ReadAllTextAsync(report));
        AssertTotals(document.RootElement.GetProperty("jobs")[0]);
        Assert.Equal(3, document.RootElement.GetProperty("totals").GetProperty("messages").GetInt32());
        Assert.Equal(3, document.RootElement.GetProperty("jobs")[0].GetProperty("findings").GetArrayLength());

        static void AssertTotals(JsonElement job)
        {
            Assert.Equal("incomplete", job.GetProperty("outcome").GetString());
            Assert.Equal((3, 1, 1, 1, 2), (Total("messages"), Total("missing"), Total("extra"), Total("different"), Total("differences")));

            int Total(string name) => job.GetProperty("totals").GetProperty(name).GetInt32();
        }
    }

    [Theory]
    [InlineData("--full", "--offline")]
    [InlineData("--sample", "0%")]
    [InlineData("--sample", "101")]
    [InlineData("--sample", "ten")]
    [InlineData("--sample", "1")]
    [InlineData("--sample", "50")]
    public async Task What_makes_no_sense_is_refused(params string[] options)
    {
        Assert.Equal(2, await InvokeAsync(["verify", jobs, .. options]));
        Assert.Contains(options[0], Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_share_is_said_in_the_summary()
    {
        Assert.Equal(0, await InvokeAsync("verify", jobs, "--full", "--sample", "50%"));
        Assert.StartsWith("alice  3 messages verified (1 of them read): no difference", Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_cannot_be_reached_ends_with_its_status()
    {
        OpenRealStore = Openers.Both(_ => throw new MailException(FailureScope.Store, false, "no route") { Kind = FailureKind.Connect });
        Assert.Equal(11, await InvokeAsync("verify", jobs));
        Assert.StartsWith("alice  FAILED, cannot connect", Out, StringComparison.Ordinal);
        Assert.Contains("no route", Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Jobs_are_verified_at_once_and_told_of_in_their_order()
    {
        var many = WriteMany(4);
        var opened = 0;
        var allThere = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        OpenRealStore = StoreRegistry.Opener with
        {
            OpenAsync = async (endpoint, context, cancellationToken) =>
            {
                if (Interlocked.Increment(ref opened) == 4)
                    allThere.SetResult();
                // No job continues before all jobs have begun, so the test passes only if the jobs run in parallel.
                await allThere.Task.WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System, cancellationToken);
                return await StoreRegistry.Opener.OpenAsync(endpoint, context, cancellationToken);
            },
        };
        Assert.Equal(0, await InvokeAsync("verify", many, "--parallel", "4"));
        Assert.Equal(["job1", "job2", "job3", "job4"], Out.TrimEnd().Split('\n').Select(l => l.Split(' ')[0]));
        Assert.Equal(2, await InvokeAsync("verify", many, "--parallel", "0"));
    }

    [Fact]
    public async Task Of_many_jobs_those_that_differ_are_listed_and_all_are_added_up()
    {
        Assert.Equal(0, await InvokeAsync("verify", WriteMany(31)));
        Assert.StartsWith("31 jobs: 31 as they should be · 93 messages verified: no difference · ", Assert.Single(Out.TrimEnd().Split('\n')), StringComparison.Ordinal);
        var before = Out.Length;
        File.Delete(Path.Combine(Directory, "target7", "cur", "m3:2,S"));
        File.AppendAllText(Path.Combine(Directory, "many.yaml"), "  - { name: gone, source: { url: \"maildir:nowhere\" }, target: { url: \"maildir:target\" }, state: gone }\n");
        Assert.Equal(1, await InvokeAsync("verify", Path.Combine(Directory, "many.yaml")));
        var lines = Out[before..].TrimEnd().Split('\n');
        Assert.Contains("job7: missing: ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("job7  3 messages verified: 1 missing · ", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("gone  FAILED", lines[2], StringComparison.Ordinal);
        Assert.StartsWith("32 jobs: 30 as they should be, 1 with differences or not complete, 1 failed · 93 messages verified: 1 missing · ", lines[3], StringComparison.Ordinal);
    }

    private string WriteMany(int count)
    {
        foreach (var n in Enumerable.Range(1, count))
        {
            foreach (var id in (string[])["m1", "m2", "m3"])
                Deliver(Path.Combine(Directory, $"target{n}"), id);
        }

        return Write(
            "many.yaml",
            "jobs:\n" + string.Concat(Enumerable.Range(1, count).Select(n => $"  - {{ name: job{n}, source: {{ url: \"maildir:source\" }}, target: {{ url: \"maildir:target{n}\" }}, state: state{n} }}\n")));
    }

    private void Differ()
    {
        var first = Path.Combine(target, "cur", "m1:2,S");
        File.WriteAllText(first, File.ReadAllText(first).Replace("text", "tExt", StringComparison.Ordinal));
        File.SetLastWriteTimeUtc(first, Reports.Start.UtcDateTime);
        File.Delete(Path.Combine(target, "cur", "m3:2,S"));
        Deliver(target, "m4");
    }
}
