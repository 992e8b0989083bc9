using System.Globalization;
using System.Runtime.InteropServices;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>
/// Many accounts in one process: all are copied, no host's limit is exceeded, and a run after a kill goes on where it stopped.
/// </summary>
public sealed class BulkRunTests
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1";

    private static int Accounts => IsLong ? 500 : 60;

    [Fact]
    public async Task Every_account_of_the_file_is_moved_whole_within_the_limits_of_both_hosts()
    {
        await using var lab = await BulkLab.StartAsync(Accounts, messages: 40);
        lab.Hosts = $"{lab.HostOfSource}: {{ connections: 12 }}\n{lab.HostOfTarget}: {{ connections: 9 }}";
        var result = await lab.SucceedAsync("--parallel", "20");
        Assert.InRange(lab.SourceLine.MostAtOnce, 1, 12);
        Assert.InRange(lab.TargetLine.MostAtOnce, 5, 9);
        var report = lab.ReadReport();
        Assert.Equal(lab.Users, report.Keys.Order(StringComparer.Ordinal));
        Assert.All(report.Values, j => Assert.Equal(40, j.GetProperty("totals").GetProperty("copied").GetInt32()));
        await lab.AllEqualAsync();
        Assert.DoesNotContain(lab.Source.Password, result.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public async Task Where_both_sides_are_accounts_of_one_host_they_share_its_limit_and_all_get_through(int connections)
    {
        await using var lab = await BulkLab.StartAsync(14, messages: 40, sameServer: true);
        lab.Hosts = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1: {{ connections: {connections} }}");
        await lab.SucceedAsync("--parallel", "10");
        Assert.InRange(lab.SourceLine.MostAtOnce, 2, connections);
        await lab.AllEqualAsync();
    }

    [Fact]
    public async Task What_others_do_not_need_is_lent_to_an_account_that_has_use_for_it()
    {
        await using var lab = await BulkLab.StartAsync(1, messages: 1500);
        lab.Hosts = $"{lab.HostOfSource}: {{ connections: 3 }}\n{lab.HostOfTarget}: {{ connections: 3 }}";
        await lab.SucceedAsync("--parallel", "20");
        Assert.InRange(lab.TargetLine.MostAtOnce, 2, 3);
        await lab.AllEqualAsync();
    }

    [Fact]
    public async Task A_process_killed_in_the_middle_goes_on_with_what_is_unfinished_and_nothing_is_missing_or_there_twice()
    {
        await using var lab = await BulkLab.StartAsync(30, messages: 40);
        await using (var process = lab.Start("run", "--parallel", "6"))
        {
            lab.TargetLine.CallAfterFromClient(500_000, process.Kill);
            await process.WaitAsync();
        }

        await lab.TargetLine.SettledAsync();
        var result = await lab.SucceedAsync("--parallel", "6", "--only-unfinished", "--report-csv", lab.Dir["done.csv"]);
        var unfinished = lab.ReadReport().Count;
        Assert.InRange(unfinished, 1, 29);
        Assert.Contains($"{unfinished} of 30 jobs are unfinished", result.Error, StringComparison.Ordinal);
        var lines = File.ReadAllLines(lab.Dir["done.csv"]);
        Assert.Equal("name,outcome,exit_status,folders,source_messages,copied,already_present,adopted,skipped,failed,flags_updated,deleted,bytes,seconds,problem", lines[0]);
        Assert.Equal(unfinished, lines.Length - 1);
        Assert.All(lines.Skip(1), l => Assert.Contains(",ok,0,12,40,", l, StringComparison.Ordinal));
        await lab.AllEqualAsync();
        Assert.Contains("Nothing to run: every job's last run ended with everything in place", (await lab.SucceedAsync("--only-unfinished")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupt_ends_jobs_at_work_and_those_that_wait_and_all_are_in_the_report()
    {
        await using var lab = await BulkLab.StartAsync(30, messages: 40);
        // More jobs run at once than the hosts allow connections, so some jobs start and then have to wait for a connection.
        lab.Hosts = $"{lab.HostOfSource}: {{ connections: 4 }}\n{lab.HostOfTarget}: {{ connections: 8 }}";
        await using (var process = lab.Start("run", "--parallel", "10", "--report", lab.ReportFile))
        {
            lab.TargetLine.CallAfterFromClient(300_000, () => process.Signal(PosixSignal.SIGINT));
            var result = await process.WaitAsync();
            Assert.True(result.Status == 130, result.ToString());
        }

        var outcomes = lab.ReadReport().Values.CountBy(j => j.GetProperty("outcome").GetString()!).ToDictionary();
        Assert.Equal(30, outcomes.Values.Sum());
        Assert.InRange(outcomes["cancelled"], 1, 29);
        await lab.SucceedAsync("--parallel", "4", "--only-unfinished");
        await lab.AllEqualAsync();
    }

    [Fact]
    public async Task Jobs_that_failed_are_run_alone_once_their_rows_are_corrected()
    {
        await using var lab = await BulkLab.StartAsync(5, messages: 40);
        var rows = File.ReadAllLines(lab.Accounts);
        File.WriteAllLines(lab.Accounts, rows.Select(r => r.StartsWith("u003", StringComparison.Ordinal) ? r.Replace(lab.Source.Password, "wrong", StringComparison.Ordinal) : r));
        var first = await lab.RunAsync("--parallel", "5");
        Assert.True(first.Status == 12, first.ToString());
        File.WriteAllLines(lab.Accounts, rows);
        await lab.SucceedAsync("--only-failed");
        Assert.Equal("u003", Assert.Single(lab.ReadReport()).Key);
        await lab.AllEqualAsync();
    }

    [Fact]
    public async Task No_secret_of_a_column_is_in_any_output_report_state_or_trace()
    {
        await using var lab = await BulkLab.StartAsync(3, messages: 40);
        var rows = File.ReadAllLines(lab.Accounts);
        File.WriteAllLines(lab.Accounts, rows.Select(r => r.StartsWith("u002", StringComparison.Ordinal) ? r.Replace(lab.Source.Password, "wrong-but-secret", StringComparison.Ordinal) : r));
        var result = await lab.RunAsync("--parallel", "3", "--trace", lab.Dir["trace.log"], "--report-csv", lab.Dir["done.csv"], "--output", "json", "-vv");
        Assert.True(result.Status == 12, result.ToString());
        List<string> texts = [result.ToString(), File.ReadAllText(lab.ReportFile), File.ReadAllText(lab.Dir["trace.log"]), File.ReadAllText(lab.Dir["done.csv"])];
        texts.AddRange(Directory.EnumerateFiles(lab.Dir["state"], "*", SearchOption.AllDirectories).Select(File.ReadAllText));
        Assert.True(texts.Count > 10);
        foreach (var text in texts)
        {
            Assert.DoesNotContain(lab.Source.Password, text, StringComparison.Ordinal);
            Assert.DoesNotContain("wrong-but-secret", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Memory_grows_by_less_than_2_MiB_for_each_account_at_work()
    {
        const int atOnce = 20;
        var accounts = int.TryParse(Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_ACCOUNTS"), CultureInfo.InvariantCulture, out var given) ? given : 2 * atOnce;
        await using var lab = await BulkLab.StartAsync(accounts, messages: 40);
        // A sequential run comes first: it measures the memory that the program needs for one job at a time.
        var one = await lab.SucceedAsync([.. lab.Users.Take(atOnce), "--parallel", "1"]);
        var began = TimeProvider.System.GetTimestamp();
        var all = await lab.SucceedAsync([.. lab.Users.Skip(atOnce), "--parallel", $"{atOnce}"]);
        var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{accounts - atOnce} accounts of 40 messages, {atOnce} at once: {seconds:0.0} s, {(accounts - atOnce) / seconds:0.0} accounts a second; peak {all.PeakResidentKiB / 1024.0:0.0} MiB, one at a time {one.PeakResidentKiB / 1024.0:0.0} MiB"));
        Assert.InRange((all.PeakResidentKiB - one.PeakResidentKiB) / 1024.0 / (atOnce - 1), 0, 2);
    }
}
