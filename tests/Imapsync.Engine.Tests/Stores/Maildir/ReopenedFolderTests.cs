using System.Globalization;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Maildir;

/// <summary>A store keeps the uidlists of closed folders in memory. It must notice when other programs change them meanwhile.</summary>
public sealed class ReopenedFolderTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string ListFile => Path.Combine(directory.Path, "dovecot-uidlist");

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task A_folder_opened_again_shows_what_a_store_opened_anew_shows()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        await using var store = await OpenAsync(forWriting: true);
        await store.CreateFolderAsync(FolderPath.Inbox, SpecialFolder.None, Token);
        for (var round = 0; round < 60; round++)
        {
            var written = await store.OpenForWritingAsync(FolderPath.Inbox, Token);
            if (random.Next(3) > 0)
                await written.ListAllAsync();
            await written.AppendAllAsync([.. Enumerable.Range(0, random.Next(4)).Select(n => Letter.Number(n) with { Flags = random.Next(2) == 0 ? FlagSet.Empty : FlagSet.Parse(["\\Seen"]) })]);
            await written.DisposeAsync();
            var deed = random.Next(8);
            await DoAsync(deed, round);
            await using var anew = await OpenAsync(forWriting: false);
            Assert.True(await ShowAsync(anew) == await ShowAsync(store), $"seed {seed}, round {round}, deed {deed}");
        }
    }

    [Fact]
    public async Task A_sync_that_fails_is_told_of_at_any_pace()
    {
        var pace = new SyncPace(new ManualClock());
        for (var round = 0; round < 3; round++)
        {
            var calls = 0;
            await pace.RunAsync(() => calls++, Token);
            Assert.Equal(1, calls);
            await Assert.ThrowsAsync<IOException>(() => pace.RunAsync(() => throw new IOException("no"), Token));
        }
    }

    /// <summary>Changes the folder as a server or a person might.</summary>
    private async Task DoAsync(int deed, int round)
    {
        var files = Directory.GetFiles(Path.Combine(directory.Path, "cur")).Concat(Directory.GetFiles(Path.Combine(directory.Path, "new"))).ToList();
        var name = string.Create(CultureInfo.InvariantCulture, $"{2000 + round}.other.host");
        switch (deed)
        {
            case 0 when files.Count > 0:
                File.Delete(files[0]);
                break;
            case 1 when files.Count > 0:
                File.Move(files[0], Path.Combine(directory.Path, "cur", Path.GetFileName(files[0]).Split(':')[0] + ":2,FS"), overwrite: true);
                break;
            case 2:
                await File.WriteAllTextAsync(Path.Combine(directory.Path, "new", name), "Subject: other\n\n", Token);
                break;
            case 3:
                await File.WriteAllTextAsync(Path.Combine(directory.Path, "new", name), "Subject: listed\n\n", Token);
                await File.AppendAllTextAsync(ListFile, string.Create(CultureInfo.InvariantCulture, $"{100_000 + round} :{name}\n"), Token);
                break;
            case 4:
                File.Delete(ListFile);
                break;
            case 5:
                // Replace the list by one with the same octets except for a digit of the UIDVALIDITY.
                var text = await File.ReadAllTextAsync(ListFile, Token);
                await File.WriteAllTextAsync(ListFile + ".new", text.Replace("3 V1", "3 V2", StringComparison.Ordinal), Token);
                File.Move(ListFile + ".new", ListFile, overwrite: true);
                break;
            case 6:
                var lines = await File.ReadAllLinesAsync(ListFile, Token);
                await File.WriteAllTextAsync(ListFile, string.Concat(lines.SkipLast(1).Select(l => l + "\n")), Token);
                break;
        }
    }

    private static async Task<string> ShowAsync(ITargetStore store)
    {
        await using var folder = await store.OpenAsync(FolderPath.Inbox, Token);
        return $"{folder.Status}\n{folder.LastingUidValidity}\n{string.Join('\n', (await folder.ListAllAsync()).Select(m => $"{m.Uid} {m.Flags}"))}";
    }

    private Task<ITargetStore> OpenAsync(bool forWriting) =>
        StoreRegistry.OpenTargetAsync(new MaildirEndpoint(directory.Path, MaildirLayout.MaildirPlusPlus), forWriting, new StoreContext(TimeProvider.System, _ => { }), Token);
}
