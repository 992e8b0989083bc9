using System.Text.Json;
using Imapsync.Tests.Support;

namespace Imapsync.CommandLine.Tests;

/// <summary>A run whose output nobody reads must still copy all mail and write its report.</summary>
public sealed class ClosedOutputTests
{
    [Theory]
    [InlineData("", ">/dev/full 2>/dev/full")]
    [InlineData("--output json", ">/dev/full 2>/dev/full")]
    [InlineData("", ">&- 2>&- <&-")]
    [InlineData("--output json", ">&- 2>&- <&-")]
    [InlineData("--output json", "2>&1 | true")]
    public async Task A_run_copies_and_reports_whatever_became_of_its_output(string options, string redirection)
    {
        using var dir = new TempDir();
        var source = new MaildirWriter(dir.Create("source"));
        source.AddFolder("INBOX");
        for (var i = 0; i < 5; i++)
            source.Add("INBOX", "From: a@example.org\r\n\r\ntext\r\n"u8, DateTimeOffset.UnixEpoch);
        var program = Path.Combine(AppContext.BaseDirectory, "imapsync.dll");
        var copy = $"dotnet '{program}' copy maildir:source maildir:target --state state --report report.json {options}";

        // A pipe's exit status is that of its last command, so the run's own status goes to a file.
        await Command.RunAsync("sh", ["-c", $"cd '{dir.Path}' && {{ {copy}; echo $? >status; }} {redirection}"]);
        Assert.Equal("0", (await File.ReadAllTextAsync(dir["status"], TestContext.Current.CancellationToken)).Trim());
        using var report = JsonDocument.Parse(await File.ReadAllTextAsync(dir["report.json"], TestContext.Current.CancellationToken));
        var job = report.RootElement.GetProperty("jobs")[0];
        Assert.Equal(("ok", 5), (job.GetProperty("outcome").GetString(), job.GetProperty("totals").GetProperty("copied").GetInt32()));
    }
}
