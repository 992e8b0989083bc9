using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Losing the checkpoints costs time, never mail.</summary>
public sealed class CheckpointLossTests
{
    [Fact]
    public async Task Without_its_checkpoints_a_run_adopts_what_is_there_and_copies_nothing()
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 300, AwkwardMessages = true, AwkwardNames = true });
        var first = await lab.SucceedAsync();
        Directory.Delete(lab.StateDirectory, recursive: true);

        var second = await lab.SucceedAsync();

        Assert.Equal(0, second.Total("copied"));
        Assert.Equal(first.Total("copied"), second.Total("already_present"));
        Assert.Contains("adopted", second.Everything, StringComparison.OrdinalIgnoreCase);
        await lab.TargetEqualsSourceAsync();
    }

    [Fact]
    public async Task Without_its_checkpoints_a_half_full_target_is_filled_up()
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 300 });
        await lab.SucceedAsync();
        Directory.Delete(lab.StateDirectory, recursive: true);
        await using (var probe = await lab.ConnectAsync())
        {
            for (var i = 0; i < 5; i++)
                await probe.AppendAsync("Sent", MailGenerator.Message(5000 + i), "\\Seen");
        }

        var second = await lab.SucceedAsync();

        Assert.Equal(5, second.Total("copied"));
        await lab.TargetEqualsSourceAsync();
    }

    [Fact]
    public async Task A_checkpoint_of_random_octets_is_told_and_nothing_is_doubled()
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 300, AwkwardMessages = true });
        await lab.SucceedAsync();
        var random = new Random(7);
        foreach (var file in Directory.EnumerateFiles(lab.StateDirectory, "*", SearchOption.AllDirectories))
        {
            var octets = new byte[new FileInfo(file).Length];
            random.NextBytes(octets);
            File.WriteAllBytes(file, octets);
        }

        var second = await lab.SucceedAsync();

        Assert.Equal(0, second.Total("copied"));
        await lab.TargetEqualsSourceAsync();
    }
}
