using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Peers;

/// <summary>Generated Thunderbird profiles as a job's source, or as its target, which the tests then change as Thunderbird does.</summary>
public sealed class ThunderbirdTests
{
    private const int PerFolder = 4;

    private static readonly Dictionary<string, string> Files = new()
    {
        ["INBOX"] = "Inbox",
        ["Sent"] = "Sent",
        ["Archives/2023"] = "Archives.sbd/2023",
        ["Archives/2023/Old mail"] = "Archives.sbd/2023.sbd/Old mail",
    };

    [Fact]
    public async Task From_a_profile_every_message_that_is_not_deleted_arrives_once_with_its_flags()
    {
        await using var lab = await AccountAsync();
        var profile = await ProfileAsync(lab);
        profile.Add("Inbox", MailGenerator.Message(501), ThunderbirdProfile.Read | ThunderbirdProfile.Expunged);
        lab.Endpoint = "url: mbox:" + profile.Directory;
        var names = profile.Names();

        var first = await lab.SucceedAsync();
        Assert.Equal(Files.Count * PerFolder, first.Total("copied"));
        first.AddsUp();
        Same(await lab.SourceAsync(), MaildirReader.Read(lab.TargetDirectory));
        Assert.Equal(names, profile.Names());

        profile.ChangeFirst("Sent", ThunderbirdProfile.Read, ThunderbirdProfile.Read | ThunderbirdProfile.Replied);
        await NothingToDoAsync(lab, first.Total("source_messages"));
    }

    [Fact]
    public async Task Into_a_profile_nothing_comes_twice_and_both_go_on_side_by_side()
    {
        await using var lab = await AccountAsync();
        var profile = await ProfileAsync(lab);
        profile.Add("Inbox", MailGenerator.Message(501), ThunderbirdProfile.Read | ThunderbirdProfile.Expunged);
        var (names, counts) = (profile.Names(), Files.Values.ToDictionary(f => f, profile.Count));
        lab.Target = "mbox:" + profile.Directory;

        var first = await lab.SucceedAsync();
        Assert.Equal(0, first.Total("copied"));
        Assert.Equal(Files.Count * PerFolder, first.Total("already_present"));
        first.AddsUp();
        Assert.Equal(names, profile.Names());
        Assert.All(counts, c => Assert.Equal(c.Value, profile.Count(c.Key)));

        // Changes as Thunderbird makes them: a message is marked with a star, and a new one is fetched.
        profile.ChangeFirst("Sent", ThunderbirdProfile.Read, ThunderbirdProfile.Read | ThunderbirdProfile.Marked);
        profile.Add("Archives.sbd/2023", MailGenerator.Message(502), ThunderbirdProfile.Read);
        await using (var probe = await lab.ConnectAsync())
            await probe.AppendAsync("Archives/2023", MailGenerator.Message(502), "\\Seen");
        await NothingToDoAsync(lab, (Files.Count * PerFolder) + 1);
        Assert.Equal(PerFolder + 1, profile.Count("Archives.sbd/2023"));

        await using (var probe = await lab.ConnectAsync())
            await probe.AppendAsync("INBOX", MailGenerator.Message(503), "\\Seen");
        Assert.Equal(1, (await lab.SucceedAsync()).Total("copied"));
        Assert.Equal(PerFolder + 2, profile.Count("Inbox"));
        Assert.Equal(names, profile.Names());
        await NothingToDoAsync(lab, (Files.Count * PerFolder) + 2);
    }

    private static Task<BackupLab> AccountAsync() => BackupLab.StartAsync(mailbox =>
    {
        var number = 0;
        foreach (var folder in Files.Keys)
        {
            for (var i = 0; i < PerFolder; i++)
                mailbox.Add(folder, MailGenerator.Message(number), MailGenerator.Date(number++), i == 0 ? "" : i == 1 ? "RS" : i == 2 ? "FS" : "S");
        }
    });

    private static async Task<ThunderbirdProfile> ProfileAsync(BackupLab lab)
    {
        var mail = await lab.SourceAsync();
        Assert.Equal(Files.Count * PerFolder, mail.MessageCount);
        var profile = new ThunderbirdProfile(lab.Dir.Create("profile"));
        var number = 0;
        profile.Make(Files, _ => Enumerable.Range(0, PerFolder).Select(i => (MailGenerator.Message(number++), i switch
        {
            0 => 0,
            1 => ThunderbirdProfile.Read | ThunderbirdProfile.Replied,
            2 => ThunderbirdProfile.Read | ThunderbirdProfile.Marked,
            _ => ThunderbirdProfile.Read,
        })));
        return profile;
    }

    private static async Task NothingToDoAsync(BackupLab lab, long messages)
    {
        var again = await lab.SucceedAsync();
        Assert.Equal(0, again.Total("copied"));
        Assert.Equal(messages, again.Total("already_present") + again.Total("skipped"));
        again.AddsUp();
    }

    /// <summary>
    /// Compares two mailboxes, except for what an mbox does not store exactly: internal dates, subscriptions, empty folders.
    /// </summary>
    private static void Same(MailboxSnapshot account, MailboxSnapshot copy)
    {
        BackupLab.Same(Plain(account), Plain(copy));

        static MailboxSnapshot Plain(MailboxSnapshot mailbox) => mailbox.Select((_, folder) => folder.Messages.Count == 0
            ? null
            : new SnapshotFolder(false, [.. folder.Messages.Select(m => m with { InternalDate = default })]));
    }
}
