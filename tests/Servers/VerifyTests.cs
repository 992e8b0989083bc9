using System.Text.Json;

namespace Imapsync.Servers.Tests;

/// <summary>A slightly damaged backup of the big mailbox, verified against its server.</summary>
public sealed class VerifyTests(BigMailbox mailbox)
{
    [Fact]
    public async Task Full_finds_one_flipped_octet_in_20_000_messages_one_lost_flag_one_missing_and_one_extra_message()
    {
        var source = await mailbox.ReadyAsync();
        await using var lab = BackupLab.On(source.Server);
        await lab.SucceedAsync();
        var clean = await lab.VerifyAsync("--full");
        Assert.True(clean.Status == 0, clean.ToString());
        Assert.Contains($"{source.Expected.MessageCount:N0} messages verified: no difference", clean.Output, StringComparison.Ordinal);

        var files = Directory.EnumerateFiles(lab.TargetDirectory, "*:2,*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();
        var flipped = files[files.Count / 4];
        Flip(flipped);
        File.Delete(files[files.Count / 2]);
        var flagged = files.Skip(files.Count / 2).Skip(1).First(f => f.EndsWith(":2,S", StringComparison.Ordinal));
        File.Move(flagged, flagged[..^1]);
        await File.WriteAllTextAsync(Path.Combine(lab.TargetDirectory, "cur", "1700000000.extra.host:2,S"), "Subject: delivered\n\nby somebody else\n", TestContext.Current.CancellationToken);

        foreach (var options in (string[][])[["--full"], ["--offline"]])
        {
            var damaged = await lab.VerifyAsync([.. options, "--output", "json"]);
            Assert.True(damaged.Status == 3, damaged.ToString());
            var lines = damaged.Output.TrimEnd().Split('\n').Select(l => JsonDocument.Parse(l).RootElement).ToList();
            Assert.Equal(
                ["different", "extra", "flags", "missing"],
                lines[..^1].Select(l => l.GetProperty("kind").GetString()).Order(StringComparer.Ordinal));
            var totals = lines[^1].GetProperty("jobs")[0].GetProperty("totals");
            Assert.Equal(source.Expected.MessageCount, totals.GetProperty("messages").GetInt32());
            Assert.Equal(2, totals.GetProperty("differences").GetInt32());
        }
    }

    private static void Flip(string path)
    {
        var time = File.GetLastWriteTimeUtc(path);
        var octets = File.ReadAllBytes(path);
        octets[octets.Length / 2] ^= 4;
        File.WriteAllBytes(path, octets);
        File.SetLastWriteTimeUtc(path, time);
    }
}
