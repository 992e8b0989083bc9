using System.Text;
using Imapsync.Engine.Tables;
using Imapsync.Fleet.Listing;
using Imapsync.Tests.Support;

namespace Imapsync.Fleet.Tests.Runs;

/// <summary>Before a list is submitted, the server (a separate process) checks its accounts by logging in at real mail servers.</summary>
public sealed class PreflightTests
{
    /// <summary>
    /// With IMAPSYNC_TESTS_LONG=1 the list has 500 rows, 120 of them broken, and the duration is quoted in docs/fleet.md. Otherwise
    /// it has 60 rows, 16 of them broken.
    /// </summary>
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1";

    /// <summary>The positions of broken rows in each stretch of rows, the length of a stretch, and the number of rows.</summary>
    private static readonly (int[] Places, int Stretch, int Rows) Shape = IsLong ? ([1, 5, 9, 13, 17, 21], 25, 500) : ([1, 5, 8, 12], 15, 60);

    [Fact(Timeout = 300_000)]
    public async Task Rows_that_are_broken_in_ten_ways_are_named_by_line_and_reason_and_nothing_is_taken_in()
    {
        using var dir = new TempDir();
        await using var accounts = await BrokenAccounts.StartAsync(dir, "u0", "u1", "u2", "u3");
        await using var sourceLine = FaultProxy.Start(accounts.Source.Port);
        var broken = accounts.RowsOf(sourceLine.Port, "u1");
        // The broken rows are spread over the list and have the ten faults in turn.
        AccountRow RowAt(int i) => Array.IndexOf(Shape.Places, i % Shape.Stretch) is >= 0 and var place
            ? broken[((i / Shape.Stretch * Shape.Places.Length) + place) % 10] with { Name = $"n{i}" }
            : new AccountRow($"n{i}", $"imap://u{i % 4}@127.0.0.1:{sourceLine.Port}", accounts.Admin);
        var rows = Enumerable.Range(0, Shape.Rows).Select(RowAt).ToArray();
        var bad = rows.Count(r => r.Reason.Length > 0);
        Assert.Equal(IsLong ? 120 : 16, bad);
        File.WriteAllLines(dir["accounts.csv"], rows.Select(r => r.Line).Prepend(AccountRow.Columns));
        dir.Write("bulk.yaml", $$"""
            jobs:
              - name: "{name}"
                for_each: accounts.csv
                source: { url: "{source}", tls: "{tls}", password: "{password}", timeouts: { connect: 10s } }
                target: { url: "{target}", tls: none, password: "{admin_password}", authorize_as: "{name}" }
                retry: { attempts: 1 }
            hosts:
              "127.0.0.1:{{sourceLine.Port}}": { connections: 5 }
            """);

        var environment = new Dictionary<string, string> { ["HOME"] = dir.Path };
        await using var server = FleetProcess.Start(dir.Path, environment, "serve", "--data", dir["data"], "--listen", "127.0.0.1:0", "--slots", "0");
        environment["IMAPSYNC_FLEET_TOKEN"] = await server.SeesAsync("token: ");
        environment["IMAPSYNC_FLEET_URL"] = await server.SeesAsync("url: ");
        var began = TimeProvider.System.GetTimestamp();
        var (status, words) = await FleetProcess.RunAsync(dir.Path, environment, "check", "bulk.yaml", "--sizes", "--parallel", "12", "--csv", "checked.csv");
        TestContext.Current.TestOutputHelper?.WriteLine($"{rows.Length} rows, {bad} of them broken, checked by the command in {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0.0} s");
        Assert.True(status == 1, words);
        Assert.Contains($"{rows.Length - bad} of {rows.Length} can be run", words, StringComparison.Ordinal);
        using var csv = CsvReader.Open(dir["checked.csv"], new CsvForm());
        Assert.Equal(["name", "source", "tls", "target", "result", "reason"], csv.Columns);
        for (var i = 0; i < rows.Length; i++)
        {
            Assert.True(csv.ReadRow());
            Assert.Equal($"n{i}", csv.Cells[0]);
            Assert.Equal(rows[i].Reason.Length == 0 ? "ok" : "failed", csv.Cells[4]);
            Assert.Contains(rows[i].Reason, csv.Cells[5], StringComparison.OrdinalIgnoreCase);
            Assert.Equal(rows[i].Reason.Length > 0, words.Contains($"line {i + 2}, ", StringComparison.Ordinal));
        }

        Assert.InRange(sourceLine.MostAtOnce, 2, 5);
        // Rows without a valid address are refused before any log-in. The other rows are checked by log-in, and one failure refuses the
        // whole list.
        (status, words) = await FleetProcess.RunAsync(dir.Path, environment, "submit", "bulk.yaml", "--name", "moved", "--sign-in");
        Assert.True(status == 2, words);
        File.WriteAllLines(dir["accounts.csv"], new[] { rows[0], broken[2] with { Name = "refused" } }.Select(r => r.Line).Prepend(AccountRow.Columns));
        (status, words) = await FleetProcess.RunAsync(dir.Path, environment, "submit", "bulk.yaml", "--name", "moved", "--sign-in", "--parallel", "12");
        Assert.True(status == 1, words);
        Assert.Contains("not every row can be run, so nothing was taken in", words, StringComparison.Ordinal);
        await using var list = await FleetStore.OpenFileAsync(Path.Combine(dir["data"], "fleet.db"), null, TestContext.Current.CancellationToken);
        Assert.Empty(await list.ReadBatchesAsync(TestContext.Current.CancellationToken));

        // Without the broken rows the list is accepted, and the accepted list can be checked again.
        File.WriteAllLines(dir["accounts.csv"], rows.Where(r => r.Reason.Length == 0).Take(6).Select(r => r.Line).Prepend(AccountRow.Columns));
        (status, words) = await FleetProcess.RunAsync(dir.Path, environment, "submit", "bulk.yaml", "--name", "moved", "--sign-in");
        Assert.True(status == 0, words);
        Assert.Equal(6, Assert.Single(await list.ReadBatchesAsync(TestContext.Current.CancellationToken)).Counts[AccountStatus.Due]);
        (status, words) = await FleetProcess.RunAsync(dir.Path, environment, "check", "--submitted", "moved");
        Assert.True(status == 0, words);
        Assert.Contains("6 of 6 can be run", words, StringComparison.Ordinal);
        (status, words) = await FleetProcess.RunAsync(dir.Path, environment, "delete", "moved");
        Assert.True(status == 0, words);
        Assert.Empty(await list.ReadBatchesAsync(TestContext.Current.CancellationToken));
        var said = new List<string> { words, server.Words };
        foreach (var file in Directory.EnumerateFiles(dir["data"], "*", SearchOption.AllDirectories).Append(dir["checked.csv"]))
            said.Add(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)));
        Assert.All(said, s => Assert.DoesNotContain(BrokenAccounts.Password, s, StringComparison.Ordinal));
        Assert.All(said, s => Assert.DoesNotContain(BrokenAccounts.AdminPassword, s, StringComparison.Ordinal));
    }
}
