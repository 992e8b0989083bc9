using System.Globalization;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Many accounts in one process: all of them, within what each host allows, and again after a kill.</summary>
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
}
