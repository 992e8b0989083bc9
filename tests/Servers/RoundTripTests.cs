using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Mail is copied from an account into files, and from the files into another account.</summary>
public sealed class RoundTripTests
{
    [Theory]
    [InlineData("maildir:")]
    [InlineData("mbox:")]
    public async Task What_comes_back_is_what_was_there(string kind)
    {
        await using var backup = await BackupLab.StartAsync(new MailboxPlan { Messages = 300, AwkwardNames = true, AwkwardMessages = true });
        backup.Target = kind + backup.TargetDirectory;
        await backup.SucceedAsync();

        var files = BackupLab.On(backup.Server);
        files.Endpoint = "url: " + backup.Target;
        await using var way = await MigrationLab.WithDovecotAsync(files);
        var first = await way.SucceedAsync();
        first.AddsUp();
        BackupLab.Same(await backup.SourceAsync(), await way.TargetAsync());

        var second = await way.SucceedAsync();
        Assert.Equal(0, second.Total("copied"));
        BackupLab.Same(await backup.SourceAsync(), await way.TargetAsync());
    }
}
