using System.Text.Json;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary><c>check</c> of many accounts: it names the fault of each row before any mail is moved.</summary>
public sealed class PreflightTests
{
    [Fact]
    public async Task Rows_that_are_broken_in_ten_ways_are_each_named_with_the_reason_and_the_others_pass()
    {
        using var dir = new TempDir();
        await using var accounts = await BrokenAccounts.StartAsync(dir, "good1", "good2");
        await accounts.FillAsync("good2", 3);
        AccountRow Good(int number) => new($"good-{number}", $"imap://good{number}@127.0.0.1:{accounts.Source.Port}", accounts.Admin);
        AccountRow[] rows = [Good(1), .. accounts.RowsOf(accounts.Source.Port, "good1"), Good(2)];
        File.WriteAllLines(dir["accounts.csv"], rows.Select(r => r.Line).Prepend(AccountRow.Columns));
        dir.Write("bulk.yaml", """
            jobs:
              - name: "{name}"
                for_each: accounts.csv
                source: { url: "{source}", tls: "{tls}", password: "{password}", timeouts: { connect: 10s } }
                target: { url: "{target}", tls: none, password: "{admin_password}", authorize_as: "{name}" }
                retry: { attempts: 1 }
                state: "state/{name}"
            """);

        await using var process = ImapsyncProcess.Start(dir.Create("home"), ["check", dir["bulk.yaml"], "--sizes", "--csv", dir["checked.csv"], "--output", "json", "--parallel", "6"]);
        var result = await process.WaitAsync();
        Assert.True(result.Status == 2, result.ToString());
        Assert.Contains("accounts.csv:10:2: '//' is missing", result.Error, StringComparison.Ordinal);
        var lines = File.ReadAllLines(dir["checked.csv"]);
        Assert.Equal("name,source,tls,target,result,reason", lines[0]);
        Assert.Equal(rows.Select(r => r.Name), lines.Skip(1).Select(l => l.Split(',')[0]));
        foreach (var (row, line) in rows.Zip(lines.Skip(1)))
        {
            Assert.Contains(row.Reason.Length == 0 ? ",ok," : ",failed,", line, StringComparison.Ordinal);
            Assert.Contains(row.Reason, line, StringComparison.OrdinalIgnoreCase);
        }

        foreach (var text in (string[])[result.ToString(), .. lines])
        {
            Assert.DoesNotContain(BrokenAccounts.Password, text, StringComparison.Ordinal);
            Assert.DoesNotContain(BrokenAccounts.AdminPassword, text, StringComparison.Ordinal);
        }

        using var json = JsonDocument.Parse(result.Output);
        var good = json.RootElement.GetProperty("jobs").EnumerateArray().Single(j => j.GetProperty("name").GetString() == "good-2");
        Assert.Equal(3, good.GetProperty("size").GetProperty("messages_left").GetInt32());
        // The check changed nothing: there is neither mail nor state.
        Assert.False(Directory.Exists(dir["state"]));
    }
}
