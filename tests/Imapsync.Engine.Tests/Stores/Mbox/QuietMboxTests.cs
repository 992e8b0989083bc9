using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Stores.Mbox;

/// <summary>A source mbox is not read while another program writes to it. A change during reading is noticed.</summary>
public sealed class QuietMboxTests
{
    private const string Mark = "From a@example.org Thu Jan  2 03:04:05 2020\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_message_that_is_being_delivered_under_a_dotlock_is_waited_for()
    {
        using var place = new MboxPlace();
        await File.WriteAllTextAsync(place.Mbox, Mark + "Subject: 1\n\nhalf", Token);
        await File.WriteAllTextAsync(place.Mbox + ".lock", "x", Token);
        var time = new MboxLockTests.HurriedTime(onTimer: count =>
        {
            if (count != 5)
                return;
            File.AppendAllText(place.Mbox, " and the rest\n\n");
            File.Delete(place.Mbox + ".lock");
        });
        var store = await StoreRegistry.OpenAsync(new MboxEndpoint(place.Path), new StoreContext(time, place.Notes.Add), Token);
        await using var folder = await store.OpenAsync(MboxPlace.Folder, Token);
        var letter = Assert.Single((await folder.ReadAllAsync()).Values);
        Assert.Equal("Subject: 1\r\n\r\nhalf and the rest\r\n", Encoding.Latin1.GetString(letter.Octets));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_source_that_stays_locked_is_left_for_later(bool isStatus)
    {
        using var place = new MboxPlace();
        await File.WriteAllTextAsync(place.Mbox, Mark + "Subject: 1\n\nhalf", Token);
        await File.WriteAllTextAsync(place.Mbox + ".lock", $"{Environment.ProcessId}:{Environment.MachineName}", Token);
        var store = await StoreRegistry.OpenAsync(
            new MboxEndpoint(place.Path), new StoreContext(new MboxLockTests.HurriedTime(), place.Notes.Add), Token);
        var failure = await Assert.ThrowsAsync<MailException>(
            () => isStatus ? store.GetStatusAsync(MboxPlace.Folder, Token) : store.OpenAsync(MboxPlace.Folder, Token));
        Assert.Equal((FailureScope.Folder, true), (failure.Scope, failure.IsTransient));
        Assert.True(File.Exists(place.Mbox + ".lock"));
    }

    [Theory]
    [InlineData(20_000)]
    [InlineData(400_000)]
    public async Task A_file_written_anew_in_place_while_it_is_read_gives_no_other_messages(int bodyLength)
    {
        using var place = new MboxPlace();
        var messages = Enumerable.Range(1, 30).Select(n => $"{Mark}Subject: {n:d3}\nStatus: {(n % 2 == 0 ? "RO" : "O ")}\n\n{new string((char)('a' + (n % 26)), bodyLength)}\n\n").ToList();
        await File.WriteAllTextAsync(place.Mbox, string.Concat(messages), Token);
        var store = await place.OpenAsync(forWriting: false);
        await using var folder = await store.OpenAsync(MboxPlace.Folder, Token);
        var infos = new List<MessageInfo>();
        await foreach (var info in folder.ListAsync(new ListRequest(WithDateAndSize: true), Token))
            infos.Add(info);

        var read = 0;
        var failure = await Assert.ThrowsAsync<MailException>(async () =>
        {
            await foreach (var message in folder.ReadAsync(infos, Token))
            {
                using var body = new MemoryStream();
                await message.Body.CopyToAsync(body, Token);
                Assert.StartsWith($"Subject: {message.Uid.Value:d3}", Encoding.Latin1.GetString(body.ToArray()), StringComparison.Ordinal);
                if (++read != 5)
                    continue;
                await using var file = new FileStream(place.Mbox, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                file.Write(Encoding.Latin1.GetBytes(string.Concat(messages.Skip(1))));
                file.SetLength(file.Position);
            }
        });
        Assert.True(failure.IsTransient);
        Assert.True(read >= 5);
        await using var again = await store.OpenAsync(MboxPlace.Folder, Token);
        Assert.Equal(29, (await again.ReadAllAsync()).Count);
    }

    [Fact]
    public async Task Headers_of_a_file_written_anew_are_not_taken_for_others()
    {
        using var place = new MboxPlace();
        await File.WriteAllTextAsync(place.Mbox, Mark + "Subject: 1\n\na\n\n" + Mark + "Subject: 2\n\nb\n\n", Token);
        var store = await place.OpenAsync(forWriting: false);
        await using var folder = await store.OpenAsync(MboxPlace.Folder, Token);
        await File.WriteAllTextAsync(place.Mbox, Mark + "Subject: 2\n\nb\n\n", Token);
        await Assert.ThrowsAsync<MailException>(async () =>
        {
            await foreach (var header in folder.ReadHeadersAsync(new UidSet([new Uid(1), new Uid(2)]), Token))
                Assert.NotEqual(Uid.None, header.Uid);
        });
    }

    [Fact]
    public async Task Mail_delivered_while_a_folder_is_read_disturbs_nothing()
    {
        using var place = new MboxPlace();
        await File.WriteAllTextAsync(place.Mbox, Mark + "Subject: 1\n\na\n\n" + Mark + "Subject: 2\n\nb\n\n", Token);
        var store = await place.OpenAsync(forWriting: false);
        await using var folder = await store.OpenAsync(MboxPlace.Folder, Token);
        await File.AppendAllTextAsync(place.Mbox, Mark + "Subject: 3\n\nc\n\n", Token);
        Assert.Equal(2, (await folder.ReadAllAsync()).Count);
    }

    [Theory]
    [InlineData("Box")]
    [InlineData("Box.imapsync-index")]
    [InlineData("Box.lock")]
    public async Task A_named_pipe_in_the_way_keeps_nobody_waiting(string name)
    {
        if (OperatingSystem.IsWindows())
            return;
        using var place = new MboxPlace();
        await File.WriteAllTextAsync(Path.Combine(place.Path, "Other"), Mark + "Subject: 1\n\na\n\n", Token);
        if (name != "Box")
            await File.WriteAllTextAsync(place.Mbox, Mark + "Subject: 1\n\na\n\n", Token);
        using (var making = System.Diagnostics.Process.Start("mkfifo", Path.Combine(place.Path, name)))
            await making.WaitForExitAsync(Token);
        var store = await place.OpenAsync(forWriting: false);
        var folders = await store.ListFoldersAsync(Token);
        Assert.Contains(folders, f => f.Path.Name == "Other");
        foreach (var folder in folders.Where(f => f.HoldsMessages))
            Assert.Equal(1, (await store.GetStatusAsync(folder.Path, Token)).Messages);
        if (name == "Box")
            Assert.Contains(place.Unread, u => u.Contains("pipe", StringComparison.Ordinal));
    }
}
