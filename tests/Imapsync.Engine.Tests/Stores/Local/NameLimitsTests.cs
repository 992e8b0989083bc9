using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Engine.Stores.Maildir;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Stores.Local;

/// <summary>Targets on file systems that forbid some file names that Linux allows, such as backup disks with exFAT or NTFS.</summary>
public sealed class NameLimitsTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly List<string> notes = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_file_system_that_takes_no_colon_is_found_out()
    {
        Assert.False(NameLimits.Probe(directory.Path).AreOfWindows);
        Assert.Empty(Directory.GetFileSystemEntries(directory.Path));
        var limits = NameLimits.Probe(directory.Path, path =>
        {
            if (path.Contains(':', StringComparison.Ordinal))
                throw new IOException("Invalid argument", 22);
        });
        Assert.True(limits.AreOfWindows);
        _ = Assert.Throws<IOException>(() => NameLimits.Probe(directory.Path, _ => throw new IOException("out of order", 5)));
    }

    [Theory]
    [InlineData(MaildirLayout.MaildirPlusPlus)]
    [InlineData(MaildirLayout.Fs)]
    public async Task Every_name_written_there_can_stand_there_and_comes_back(MaildirLayout layout)
    {
        FolderPath[] folders =
        [
            new("a:b"), new("Was ist das?"), new("CON"), new("nul.txt"), new("com1", "LPT9"), new("a*\"<>|\\b"), new("dot."), new("blank "), new("?"),
            FolderPath.Inbox,
        ];
        await using (var store = await OpenAsync(forWriting: true))
        {
            foreach (var path in folders)
            {
                await store.CreateFolderAsync(path, SpecialFolder.None, Token);
                await using var folder = await store.OpenForWritingAsync(path, Token);
                await folder.AppendAllAsync(Letter.Number(1) with { Flags = FlagSet.Parse(["\\Seen"]) }, Letter.Number(2));
                var second = (await folder.ListAllAsync()).Last();
                Assert.Equal(1, await folder.SetFlagsAsync([new FlagChange(second.Uid, FlagSet.Parse(["\\Flagged"]), FlagSet.Empty)], Token));
            }
        }

        Assert.Contains(notes, n => n.Contains("takes no ':'", StringComparison.Ordinal));
        foreach (var entry in Directory.EnumerateFileSystemEntries(directory.Path, "*", SearchOption.AllDirectories).Select(e => Path.GetFileName(e)))
        {
            Assert.DoesNotContain(entry, c => ":*?\"<>|\\".Contains(c, StringComparison.Ordinal));
            Assert.False(entry[^1] is '.' or ' ', entry);
            Assert.DoesNotContain(entry.Split('.')[0], (string[])["CON", "nul", "com1", "LPT9"]);
        }

        await using var again = await OpenAsync(forWriting: false);
        var listed = (await again.ListFoldersAsync(Token)).Where(f => f.HoldsMessages).Select(f => f.Path).ToList();
        Assert.Equal(folders.Order(), listed.Order());
        foreach (var path in folders)
        {
            await using var folder = await again.OpenAsync(path, Token);
            Assert.Equal(["\\Seen", "\\Flagged"], (await folder.ListAllAsync()).Select(i => i.Flags.ToString()));
        }

        Task<ITargetStore> OpenAsync(bool forWriting) => MaildirStore.OpenAsync(
            new MaildirEndpoint(directory.Path, layout), forWriting, new StoreContext(TimeProvider.System, notes.Add), _ => NameLimits.OfWindows, Token);
    }
}
