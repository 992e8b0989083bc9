using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Engine.Tests.Contracts;

namespace Imapsync.Engine.Tests.Stores.Maildir;

/// <summary>The memory that an open Maildir uses per message, in octets.</summary>
[Collection(nameof(MemoryBoundsTests))]
public sealed class MaildirMemoryTests
{
    private const int Messages = 20_000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true, 95)]
    [InlineData(false, 120)]
    public async Task An_open_folder_holds_few_octets_of_a_message(bool hasList, int octets)
    {
        using var directory = new TemporaryDirectory();
        var root = Path.Combine(directory.Path, "mail");
        foreach (var part in (string[])["tmp", "new", "cur"])
            Directory.CreateDirectory(Path.Combine(root, part));
        using (var list = hasList ? new StreamWriter(Path.Combine(root, "dovecot-uidlist")) : StreamWriter.Null)
        {
            await list.WriteAsync($"3 V1700000000 N{Messages + 1} G00000000000000000000000000000000\n");
            for (var n = 1; n <= Messages; n++)
            {
                var name = $"1700000{n:d6}.M{n * 31 % 1_000_000}P12345Q{n}.mail.example.org,S=1234,W=1260,L=1";
                await list.WriteAsync($"{n} :{name}\n");
                await File.WriteAllBytesAsync(Path.Combine(root, "cur", name + ":2,S"), [], Token);
            }
        }

        var context = new StoreContext(TimeProvider.System, _ => { }) { MemoryDirectory = Path.Combine(directory.Path, "names"), MemoryIsReadOnly = false };
        await using var store = await StoreRegistry.OpenAsync(new MaildirEndpoint(root), context, Token);
        // When the folder is opened the second time, no message is new.
        for (var time = 0; time < 2; time++)
        {
            var before = GC.GetTotalMemory(forceFullCollection: true);
            await using var folder = await store.OpenAsync(FolderPath.Inbox, Token);
            var count = await folder.ListAsync(new ListRequest(), Token).CountAsync(Token);
            var each = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)Messages;
            GC.KeepAlive(folder);
            Assert.Equal(Messages, count);
            TestContext.Current.TestOutputHelper?.WriteLine($"{each:0.0} octets a message");
            Assert.True(each <= octets, $"{each:0.0} octets a message are held, at most {octets} may be");
        }
    }
}
