using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Turns;
using Imapsync.Serving;
using Imapsync.Serving.Mailboxes;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Serving;

/// <summary>The assignment of UIDs to mail that another program put into a backup.</summary>
public sealed class NumbersInTurnsTests
{
    private const int Messages = 200;

    [Theory]
    [InlineData("maildir")]
    [InlineData("mbox")]
    public async Task No_UID_is_given_to_two_messages_however_many_look_into_a_backup_at_once(string kind)
    {
        using var dir = new TempDir();
        var backup = new Foreign(dir.Create("backup"), kind);
        backup.Add(0);
        var known = new ConcurrentDictionary<(string Generation, uint Uid), long>();
        var stores = new List<IMessageStore>();
        for (var i = 0; i < 3; i++)
            stores.Add(await OpenAsync(backup.Endpoint, dir["memory"]));
        var looking = stores.SelectMany(s => Enumerable.Repeat(s, 3)).Select(store => Task.Run(async () =>
        {
            for (var last = 0; last < Messages;)
            {
                var written = Volatile.Read(ref backup.Written);
                try
                {
                    await using var folder = await store.OpenAsync(FolderPath.Inbox, CancellationToken.None);
                    await foreach (var message in folder.ListAsync(new ListRequest(WithDateAndSize: true), CancellationToken.None))
                    {
                        var first = known.GetOrAdd(($"{folder.Status.UidValidity}", message.Uid.Value), message.Size);
                        Assert.True(first == message.Size, $"UID {message.Uid} is a message of {first} octets and one of {message.Size}");
                    }

                    last = written;
                }
                catch (MailException e) when (e.IsTransient)
                {
                    // The mbox was changed while it was read, so it is read again, as a job does.
                }
            }
        })).ToList();
        for (var i = 1; i < Messages; i++)
        {
            // Pause now and then, so that the readers see different numbers of messages.
            if (i % 3 == 0)
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, TestContext.Current.CancellationToken);
            backup.Add(i);
        }

        await Task.WhenAll(looking);
        Assert.Equal(Enumerable.Range(0, Messages).Select(i => (long)Text(i).Length + Text(i).Count(c => c == '\n')), known.Values.Distinct().Order());
        foreach (var store in stores)
            await store.DisposeAsync();
    }

    [Theory]
    [InlineData("maildir")]
    [InlineData("mbox")]
    public async Task Where_turns_can_not_be_taken_nothing_is_opened(string kind)
    {
        using var dir = new TempDir();
        var backup = new Foreign(dir.Create("backup"), kind);
        backup.Add(0);
        dir.Create("memory/turn.names.lock");
        await using var store = await OpenAsync(backup.Endpoint, dir["memory"]);
        var error = await Assert.ThrowsAsync<MailException>(() => store.OpenAsync(FolderPath.Inbox, CancellationToken.None));
        Assert.Contains("turn.names.lock", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("maildir")]
    [InlineData("mbox")]
    public async Task A_folder_where_one_UID_does_not_last_is_served_under_a_UIDVALIDITY_of_this_start(string kind)
    {
        using var dir = new TempDir();
        var backup = new Foreign(dir.Create("backup"), kind);
        backup.Add(0);
        await using (var store = await OpenAsync(backup.Endpoint, dir["memory"]))
            await (await store.OpenAsync(FolderPath.Inbox, CancellationToken.None)).DisposeAsync();
        backup.Add(1);
        var context = new StoreContext(TimeProvider.System, _ => { }) { MemoryDirectory = dir["memory"], MemoryIsReadOnly = true };
        await using var reading = await StoreRegistry.OpenAsync(backup.Endpoint, context, CancellationToken.None);
        await using var folder = await reading.OpenAsync(FolderPath.Inbox, CancellationToken.None);
        Assert.False(folder.LastingUidValidity.IsNone);
        var fallback = new Imap.UidValidity(77);
        Assert.Equal(fallback, (await FolderSnapshot.TakeAsync(folder, fallback, ServingLimits.Default.Messages, CancellationToken.None)).Validity);
    }

    private static async Task<IMessageStore> OpenAsync(Endpoint endpoint, string memory)
    {
        var context = new StoreContext(TimeProvider.System, _ => { }) { MemoryDirectory = memory, MemoryIsReadOnly = false };
        return StoreInTurns.Of(await StoreRegistry.OpenAsync(endpoint, context, CancellationToken.None), memory, TimeProvider.System);
    }

    private static string Text(int number) => string.Create(CultureInfo.InvariantCulture, $"Subject: {number}\n\n{new string('x', 10 * number)}\n");

    /// <summary>Mail that another program delivers, each message of a different length.</summary>
    private sealed class Foreign(string directory, string kind)
    {
        private readonly MaildirWriter maildir = new(directory);
        public int Written;

        public Endpoint Endpoint => kind == "mbox" ? new MboxEndpoint(directory) : new MaildirEndpoint(directory);

        public void Add(int number)
        {
            var text = Text(number);
            if (kind == "mbox")
                File.AppendAllText(Path.Combine(directory, "INBOX"), $"From a@b.example Thu Jan  1 00:00:00 2026\n{text}\n");
            else
                maildir.Add("INBOX", Encoding.ASCII.GetBytes(text), MailGenerator.Date(number));
            Volatile.Write(ref Written, number + 1);
        }
    }
}
