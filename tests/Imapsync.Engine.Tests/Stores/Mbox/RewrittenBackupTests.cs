using System.Text;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Mbox;

/// <summary>
/// mutt and Thunderbird rewrite an mbox backup. The messages keep their UIDs, and header fields that these programs add become flags.
/// </summary>
public sealed class RewrittenBackupTests
{
    private const string Mozilla = "From - Thu Jan  2 03:04:05 2020\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Fields_added_by_a_mail_program_move_no_uid()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        string[] added = ["Lines: 1\n", "Content-Length: 7\n", "Status: RO\n", "X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\n", "X-Account-Key: account1\n", "X-UID: 3\n"];
        for (var round = 0; round < 100; round++)
        {
            using var place = new MboxPlace();
            var uids = await place.AppendAsync([.. Enumerable.Range(1, 6).Select(AwkwardMessages.Ordinary), AwkwardMessages.Ordinary(1)]);
            var (before, _) = await place.ReadAsync();
            var parts = (await File.ReadAllTextAsync(place.Mbox, Encoding.Latin1, Token)).Split("\n\nFrom ");
            var kept = new List<Uid>();
            var rewritten = new List<string>();
            for (var i = 0; i < parts.Length; i++)
            {
                if (random.Next(6) == 0 && parts.Length - i > 1)
                    continue;
                var message = (i == 0 ? parts[i]["From ".Length..] : parts[i]).TrimEnd('\n');
                var postmark = message.IndexOf('\n', StringComparison.Ordinal) + 1;
                var header = message.IndexOf("\n\n", StringComparison.Ordinal) + 1;
                var extra = random.Next(3) == 0 ? "" : added[random.Next(added.Length)];
                rewritten.Add(random.Next(2) == 0
                    ? string.Concat("From - Fri Jan  3 03:04:05 2020\n", extra, message[postmark..])
                    : string.Concat("From ", message[..header], extra, message[header..]));
                kept.Add(uids[i]);
            }

            await File.WriteAllTextAsync(place.Mbox, string.Join("\n\n", rewritten) + "\n\n", Encoding.Latin1, Token);
            var (after, letters) = await place.SettleAsync();
            Assert.True(before.UidValidity == after.UidValidity, $"seed {seed}, round {round}");
            Assert.True(letters.Count == kept.Count && letters.Keys.All(uids.Contains), $"seed {seed}, round {round}: {string.Join(' ', letters.Keys)} for {string.Join(' ', kept)}");
            Assert.Equal(letters.Keys, (await place.SettleAsync()).Letters.Keys);
        }
    }

    [Fact]
    public async Task Messages_alike_but_for_their_body_or_id_are_not_mixed_up()
    {
        using var place = new MboxPlace();
        var uids = await place.AppendAsync(
            [.. new[] { "<1@x>\r\n\r\na\r\n", "<1@x>\r\n\r\nb\r\n", "<2@x>\r\n\r\na\r\n" }.Select(m => MboxPlace.Octets("Message-ID: " + m))]);
        var file = await File.ReadAllTextAsync(place.Mbox, Token);
        var second = file.IndexOf("\n\nFrom ", StringComparison.Ordinal) + 2;
        await File.WriteAllTextAsync(place.Mbox, file[second..].Replace("Message-ID", "Lines: 1\nMessage-ID", StringComparison.Ordinal), Token);
        var (_, letters) = await place.SettleAsync();
        Assert.Equal(uids.Skip(1), letters.Keys);
        Assert.Contains("<1@x>\r\n\r\nb", Encoding.Latin1.GetString(letters[uids[1]].Octets), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0000", "")]
    [InlineData("0001", "\\Seen")]
    [InlineData("0003", "\\Seen \\Answered")]
    [InlineData("0005", "\\Seen \\Flagged")]
    [InlineData("1001", "\\Seen $Forwarded")]
    public async Task Mozillas_notes_become_flags(string status, string flags)
    {
        using var place = new MboxPlace();
        await File.WriteAllTextAsync(place.Mbox, $"{Mozilla}X-Mozilla-Status: {status}\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: $label1 work          \nSubject: x\n\na\n\n", Token);
        var letter = Assert.Single((await place.ReadAsync()).Letters);
        Assert.Equal(FlagSet.Parse([.. flags.Split(' ', StringSplitOptions.RemoveEmptyEntries), "$label1", "work"]), letter.Flags);
        Assert.Equal("Subject: x\r\n\r\na\r\n", Encoding.Latin1.GetString(letter.Octets));
    }

    [Fact]
    public async Task Mail_that_Thunderbird_deleted_is_left_out_and_told_and_stays_in_the_file()
    {
        using var place = new MboxPlace();
        var gone = $"{Mozilla}X-Mozilla-Status: 0009\nX-Mozilla-Status2: 00000000\nSubject: gone\n\na\n\n";
        await File.WriteAllTextAsync(place.Mbox, gone + $"{Mozilla}X-Mozilla-Status: 0001\nSubject: there\n\nb\n\n" + gone, Token);
        Assert.StartsWith("Subject: there", Encoding.Latin1.GetString(Assert.Single((await place.ReadAsync()).Letters).Octets), StringComparison.Ordinal);
        Assert.Contains(place.Notes, n => n.Contains("left out: 2", StringComparison.Ordinal));
        await place.AppendAsync(AwkwardMessages.Ordinary(1));
        Assert.Equal(2, (await place.ReadAsync()).Letters.Count);
        Assert.Equal(3, (await File.ReadAllTextAsync(place.Mbox, Token)).Split("X-Mozilla-Status: ").Length - 1);
    }

    [Fact]
    public async Task A_sender_cannot_have_mail_taken_for_deleted()
    {
        using var place = new MboxPlace();
        var message = MboxPlace.Octets("X-Mozilla-Status: 0009\r\nX-Mozilla-Keys: evil\r\nSubject: x\r\n\r\na\r\n");
        await place.AppendAsync(message);
        File.Delete(place.Index);
        var letter = Assert.Single((await place.ReadAsync()).Letters);
        Assert.Equal(message, letter.Octets);
        Assert.Equal(FlagSet.Empty, letter.Flags);
        await File.WriteAllTextAsync(place.Mbox, "From a Thu Jan  2 03:04:05 2020\nSubject: x\nX-Mozilla-Status: 0009\n\na\n\n", Token);
        Assert.Single((await place.ReadAsync()).Letters);
    }

    [Fact]
    public async Task Lines_that_end_in_CR_alone_are_read()
    {
        using var place = new MboxPlace();
        var file = Mozilla + "Subject: 1\n\na\n\nFrom \nSubject: 2\nStatus: RO\n\nb\n\n";
        await File.WriteAllTextAsync(place.Mbox, file.Replace('\n', '\r'), Token);
        var (_, letters) = await place.ReadAsync();
        Assert.Equal(["Subject: 1\r\n\r\na\r\n", "Subject: 2\r\n\r\nb\r\n"], letters.Select(l => Encoding.Latin1.GetString(l.Octets)));
        Assert.Equal(FlagSet.Create(MessageFlags.Seen), letters[1].Flags);
        await Assert.ThrowsAsync<Imapsync.Engine.Mail.MailException>(() => place.OpenFolderAsync());
        Assert.Equal(file.Length, new FileInfo(place.Mbox).Length);
    }
}
