using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Maildir;

/// <summary>
/// A power cut may leave a new folder in several states before it is synced. The tests cover these states, and the system calls that write
/// the folder's files.
/// </summary>
public sealed class UnsyncedListTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly int seed = Seeds.Next();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(MaildirLayout.MaildirPlusPlus)]
    [InlineData(MaildirLayout.Fs)]
    public async Task Whatever_part_of_a_new_folder_reached_the_disk_it_is_used_and_each_message_gets_one_uid(MaildirLayout layout)
    {
        var random = new Random(seed);
        for (var round = 0; round < 24; round++)
        {
            var path = new FolderPath("Work", $"Case {round}");
            await using var store = await StoreRegistry.OpenTargetAsync(
                new MaildirEndpoint(directory.Path, layout), forWriting: true, new StoreContext(TimeProvider.System, _ => { }), Token);
            await store.CreateFolderAsync(path, SpecialFolder.None, Token);
            await (await store.OpenForWritingAsync(path, Token)).DisposeAsync();
            Damage(Assert.Single(Directory.GetFiles(directory.Path, "dovecot-uidlist", SearchOption.AllDirectories), f => f.Contains($"Case {round}/", StringComparison.Ordinal)), random);

            await store.CreateFolderAsync(path, SpecialFolder.None, Token);
            await using var folder = await store.OpenForWritingAsync(path, Token);
            await folder.AppendAllAsync(Letter.Number(1), Letter.Number(2) with { Flags = FlagSet.Parse(["\\Seen", "Work"]) });
            await folder.AppendAllAsync(Letter.Number(3));
            Assert.False(folder.Status.UidValidity.IsNone, $"seed {seed}, round {round}");
            Assert.True((await folder.ListAllAsync()).Select(m => m.Uid.Value).SequenceEqual([1u, 2u, 3u]), $"seed {seed}, round {round}");
        }
    }

    [Fact]
    public void A_directory_whose_sync_failed_is_synced_by_the_next_one()
    {
        var made = new UnsyncedDirectories();
        var late = Path.Combine(directory.Path, "late");
        made.Add(late);
        Assert.ThrowsAny<IOException>(made.Sync);
        Assert.ThrowsAny<IOException>(made.Sync);
        Directory.CreateDirectory(late);
        made.Sync();
        Directory.Delete(late);
        made.Sync();
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void A_link_in_the_place_of_a_file_of_ours_is_neither_followed_nor_written_through()
    {
        var (others, link) = (Path.Combine(directory.Path, "others"), Path.Combine(directory.Path, "link"));
        File.WriteAllText(others, "theirs");
        foreach (var target in (string[])[others, Path.Combine(directory.Path, "nowhere")])
        {
            File.CreateSymbolicLink(link, target);
            Assert.Contains("symbolic link", Assert.Throws<IOException>(() => Posix.OpenOwn(link, create: true).Dispose()).Message, StringComparison.Ordinal);
            using (var anew = Posix.CreateAnew(link))
                Posix.Write(anew, link, "ours"u8, 0);
            Assert.Equal(("ours", "theirs", 1), (File.ReadAllText(link), File.ReadAllText(others), Directory.GetFiles(directory.Path, "others").Length));
            Assert.False(File.Exists(Path.Combine(directory.Path, "nowhere")));
            File.Delete(link);
        }
    }

    private static void Damage(string list, Random random)
    {
        var folder = Path.GetDirectoryName(list)!;
        var length = (int)new FileInfo(list).Length;
        switch (random.Next(4))
        {
            case 0:
                File.WriteAllBytes(list, []);
                break;
            case 1:
                // The file's size reached the disk, but its contents did not.
                File.WriteAllBytes(list, new byte[length]);
                break;
            case 2:
                File.Delete(list);
                break;
            default:
                File.Delete(list);
                foreach (var part in ((string[])["cur", "new", "tmp"]).Where(_ => random.Next(2) == 0))
                    Directory.Delete(Path.Combine(folder, part));
                break;
        }
    }
}
