using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <summary>Which flags are sent with a message, which are set afterwards, and which are left out and reported.</summary>
public sealed class FlagQuirkTests
{
    private readonly AppendServer server = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private IEnumerable<string> Stores => server.Commands.Where(c => c.StartsWith("UID STORE", StringComparison.Ordinal));

    [Fact]
    public async Task Unknown_backslash_flags_are_left_out_and_Forwarded_becomes_a_keyword()
    {
        await using var run = await CopyAsync("\\Seen \\Junk \\X-Odd \\Forwarded \\Indexed \\ReadRcpt");
        Assert.Equal("\\Seen $Forwarded", server.Messages.Single().Flags);
    }

    [Fact]
    public async Task Where_no_new_keywords_are_taken_only_known_ones_go()
    {
        server.PermanentFlags = "\\Seen \\Flagged $Known";
        await using var run = await CopyAsync("\\Seen \\Answered $KNOWN $New");
        Assert.Equal("\\Seen $KNOWN", server.Messages.Single().Flags);
        Assert.Equal("the server does not keep \\Answered $New", run.Receipts[1].Note);
    }

    [Theory]
    [InlineData("x]")]
    [InlineData("ét\u00e9")]
    [InlineData("a\"b")]
    [InlineData("(odd")]
    public async Task A_keyword_that_is_no_atom_is_left_out_and_told(string keyword)
    {
        await using var run = await CopyAsync($"$Fine {keyword}");
        Assert.Equal("$Fine", server.Messages.Single().Flags);
        Assert.Equal($"the server does not keep {keyword}", run.Receipts[1].Note);
    }

    [Fact]
    public async Task A_message_refused_with_keywords_goes_without()
    {
        server.OnAppend = (flags, _) => flags.Contains("FLAG:1", StringComparison.Ordinal) ? new("NO [LIMIT] too many keywords") : null;
        await using var run = await CopyAsync("\\Seen FLAG:1");
        Assert.Equal("\\Seen", server.Messages.Single().Flags);
        Assert.Equal("the server does not keep FLAG:1", run.Receipts[1].Note);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\\Seen")]
    public async Task Flags_that_APPEND_loses_are_set_afterwards(string kept)
    {
        server.KeepFlags = _ => kept;
        await using var run = await CopyAsync("\\Seen \\Flagged", "\\Seen \\Flagged", "");
        Assert.All(server.Messages.Take(2), m => Assert.Equal(["\\Flagged", "\\Seen"], m.Flags.Split(' ').Order()));
        Assert.Equal(["UID STORE 1:2 +FLAGS.SILENT (\\Seen \\Flagged)"], Stores);
        await run.CopyAsync(("\\Flagged", "later"));
        Assert.Contains("\\Flagged", server.Messages[^1].Flags, StringComparison.Ordinal);
        Assert.Single(server.Commands, c => c.StartsWith("UID FETCH", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Flags_that_are_kept_cost_one_look_a_folder()
    {
        await using var run = await CopyAsync("\\Seen", "\\Flagged");
        await run.CopyAsync(("\\Seen", "later"));
        Assert.Single(server.Commands, c => c.StartsWith("UID FETCH", StringComparison.Ordinal));
        Assert.Empty(Stores);
    }

    [Fact]
    public async Task Without_the_right_to_set_flags_the_messages_still_arrive_and_it_is_told()
    {
        server.KeepFlags = _ => "";
        server.OnCommand = c => c.StartsWith("UID STORE", StringComparison.Ordinal) ? "NO [NOPERM] Permission denied" : null;
        await using var run = await CopyAsync("\\Seen");
        await run.CopyAsync(("\\Seen", "later"));
        Assert.All(run.Receipts.Values, r => Assert.True(r.IsAccepted));
        Assert.Contains("does not keep the flags", run.Notes.Single(), StringComparison.Ordinal);
        Assert.Single(Stores);
    }

    [Fact]
    public async Task Gmail_gets_Deleted_after_the_message()
    {
        server.Capabilities = "IMAP4rev1 UIDPLUS X-GM-EXT-1";
        await using var run = await CopyAsync("\\Seen \\Deleted");
        Assert.Contains(server.Commands, c => c.StartsWith("APPEND \"INBOX\" (\\Seen) ", StringComparison.Ordinal));
        Assert.Equal(["UID STORE 1 +FLAGS.SILENT (\\Deleted)"], Stores);
    }

    [Fact]
    public async Task Only_real_changes_are_sent_and_counted_equal_ones_together()
    {
        await using var run = await CopyAsync("\\Seen $MDNSent", "", "\\Flagged", "\\Flagged $Old");
        await using var folder = await run.Store.OpenForWritingAsync(FolderPath.Inbox, Token);
        var count = await folder.SetFlagsAsync(
            [Change(1, "\\Seen $MdnSent", ""), Change(2, "\\Seen", ""), Change(3, "\\Seen", "\\Flagged"), Change(4, "", "\\Flagged $OLD \\Draft"), Change(9, "\\Seen", "")],
            Token);
        Assert.Equal(3, count);
        Assert.Equal(
            ["UID STORE 2:3 +FLAGS.SILENT (\\Seen)", "UID STORE 3 -FLAGS.SILENT (\\Flagged)", "UID STORE 4 -FLAGS.SILENT (\\Flagged $Old)"], Stores);
    }

    [Fact]
    public async Task Keywords_that_STORE_refuses_do_not_keep_the_system_flags_away()
    {
        server.OnCommand = c => c.StartsWith("UID STORE", StringComparison.Ordinal) && c.Contains("$Label", StringComparison.Ordinal) ? "NO Too many user flags in mailbox" : null;
        await using var run = await CopyAsync("");
        await using var folder = await run.Store.OpenForWritingAsync(FolderPath.Inbox, Token);
        await folder.SetFlagsAsync([Change(1, "\\Seen $Label", "")], Token);
        Assert.Equal("\\Seen", server.Messages.Single().Flags);
        Assert.Contains("$Label", run.Notes.Single(), StringComparison.Ordinal);
    }

    private static FlagChange Change(uint uid, string add, string remove) => new(new Uid(uid), Set(add), Set(remove));

    private static FlagSet Set(string flags) => FlagSet.Parse(flags.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private async Task<AppendRun> CopyAsync(params string[] flags)
    {
        var run = await AppendRun.OpenAsync(server);
        await run.CopyAsync([.. flags.Select((f, i) => (f, $"message {i}"))]);
        return run;
    }
}
