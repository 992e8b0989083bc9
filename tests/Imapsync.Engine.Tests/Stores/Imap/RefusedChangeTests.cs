using System.Text.RegularExpressions;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <summary>Changes of flags and removals that a target refuses, or accepts without making them.</summary>
public sealed partial class RefusedChangeTests : IDisposable
{
    private const int Count = 9;

    private readonly AppendServer server = new();
    private readonly MailboxFixture box = new();

    public RefusedChangeTests()
    {
        box.Job = box.Job with { Target = AppendRun.Endpoint, Deletions = DeletionPolicy.Mirror };
        box.OpenTarget = (_, _, context, c) => ImapStore.OpenAsync(AppendRun.Endpoint, context with { Time = TimeProvider.System }, server.DialAsync, c);
        for (var i = 1; i <= Count; i++)
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail($"m{i}"));
    }

    public void Dispose() => box.Dispose();

    [Theory]
    [InlineData("NO [CANNOT] the flag can't be set", 3)]
    [InlineData("BAD parse error", 1, 9)]
    [InlineData("NO [NOPERM] may not", 5, 6, 7)]
    public async Task A_flag_refused_for_some_messages_costs_no_other_message_its_flag_or_its_copy(string reply, params int[] refused)
    {
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        var inbox = box.Source.Folder("INBOX");
        for (uint uid = 1; uid <= Count; uid++)
            inbox.SetFlags(uid, "\\Flagged");
        inbox.Add(MailboxFixture.Mail("new"));
        server.OnCommand = c => Store().Match(c) is { Success: true } store && UidSet.TryParse(store.Groups["set"].Value, out var set) && refused.Any(uid => set.Contains(new Uid((uint)uid)))
            ? reply
            : null;
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, 1L), (report.Outcome, report.Totals.Copied));
        Assert.Equal("flags", Assert.Single(report.Problems).Reason);
        Assert.All(server.Messages.Take(Count), m => Assert.Equal(refused.Contains((int)m.Uid) ? "" : "\\Flagged", m.Flags));

        // A flag that the target's user removes meanwhile stays removed, although the refused changes are tried again.
        var taken = server.Messages.First(m => m.Flags.Length > 0);
        taken.Flags = "";
        server.OnCommand = _ => null;
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        Assert.All(server.Messages.Take(Count), m => Assert.Equal(m == taken ? "" : "\\Flagged", m.Flags));
    }

    [Fact]
    public async Task A_folder_without_the_right_to_set_flags_is_not_asked_for_each_message()
    {
        await box.RunAsync();
        for (uint uid = 1; uid <= Count; uid++)
            box.Source.Folder("INBOX").SetFlags(uid, uid % 2 == 0 ? "\\Flagged" : "\\Seen");
        server.OnCommand = c => c.StartsWith("UID STORE", StringComparison.Ordinal) ? "NO [NOPERM] may not" : null;
        var report = await box.RunAsync();
        Assert.Equal("flags", Assert.Single(report.Problems).Reason);
        Assert.InRange(server.Commands.Count(c => c.StartsWith("UID STORE", StringComparison.Ordinal)), 2, 14);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_message_is_removed_only_where_the_folder_does_not_show_it_any_more(bool removes, bool tells)
    {
        await box.RunAsync();
        box.Source.Folder("INBOX").Remove(4);
        server.OnCommand = c =>
        {
            if (!c.StartsWith("UID EXPUNGE", StringComparison.Ordinal))
                return null;
            if (removes)
                server.Messages.RemoveAt(3);
            return tells ? "4 EXPUNGE\nOK" : "OK";
        };
        var report = await box.RunAsync();
        Assert.Equal((removes ? JobOutcome.Ok : JobOutcome.Incomplete, removes ? 1L : 0L), (report.Outcome, report.Totals.Deleted));
        if (removes)
            return;
        // The message is not forgotten: a later run removes it.
        Assert.Equal("removal", Assert.Single(report.Problems).Reason);
        removes = true;
        var next = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 1L), (next.Outcome, next.Totals.Deleted));
        Assert.Equal(Count - 1, server.Messages.Count);
    }

    [Theory]
    [InlineData("MESSAGES 3 UIDNEXT 9", "MESSAGES 3 UIDNEXT 9", false)]
    [InlineData("MESSAGES 3", "MESSAGES 3", false)]
    [InlineData("MESSAGES 3 UIDNEXT 9", "MESSAGES 3 UIDNEXT 10", true)]
    [InlineData("MESSAGES 3", "MESSAGES 4", true)]
    [InlineData("MESSAGES 0 UIDNEXT 9", "MESSAGES 0 UIDNEXT 10", true)]
    public async Task Nothing_is_removed_before_its_copy_lies_in_the_trash_folder(string before, string after, bool isRemoved)
    {
        await box.RunAsync();
        var isCopied = false;
        server.OnCommand = c =>
        {
            isCopied |= c.StartsWith("UID COPY", StringComparison.Ordinal);
            return c.StartsWith("STATUS \"Removed", StringComparison.Ordinal) ? $"STATUS Removed ({(isCopied ? after : before)} UIDVALIDITY 8)\nOK"
                : c.StartsWith("LIST", StringComparison.Ordinal) ? "LIST () \"/\" INBOX\nLIST () \"/\" Removed\nOK"
                : c.StartsWith("UID EXPUNGE", StringComparison.Ordinal) ? "4 EXPUNGE\nOK" : null;
        };
        await using var run = await AppendRun.OpenAsync(server);
        await using var folder = await run.Store.OpenForWritingAsync(FolderPath.Inbox, TestContext.Current.CancellationToken);
        var removing = folder.RemoveAsync(new UidSet([new Uid(4)]), FolderPath.Parse("Removed"), TestContext.Current.CancellationToken);
        if (isRemoved)
            Assert.Equal(1, await removing);
        else
            await Assert.ThrowsAsync<MailException>(() => removing);
        Assert.True(isCopied);
        Assert.Equal(isRemoved, server.Commands.Any(c => c.StartsWith("UID EXPUNGE", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("NO [ALREADYEXISTS] exists")]
    [InlineData("NO the folder can't be made")]
    public async Task TRYCREATE_for_a_folder_that_is_there_is_about_the_message(string reply)
    {
        server.OnAppend = (_, body) => body.Contains("m4", StringComparison.Ordinal) ? new("NO [TRYCREATE] APPEND error finding folder") : null;
        server.OnCommand = c => c.StartsWith("CREATE", StringComparison.Ordinal) ? reply : null;
        var report = await box.RunAsync();
        Assert.Equal((Count - 1L, 1L), (report.Totals.Copied, report.Totals.Failed));
        Assert.Equal(4u, Assert.Single(report.Problems).Uid);
    }

    [Fact]
    public async Task What_SELECT_does_not_tell_is_asked_for_by_STATUS()
    {
        server.OnCommand = c => c.StartsWith("EXAMINE", StringComparison.Ordinal) ? $"{server.Messages.Count} EXISTS\nOK done" : null;
        await using var run = await AppendRun.OpenAsync(server);
        await using var folder = await run.Store.OpenAsync(FolderPath.Inbox, TestContext.Current.CancellationToken);
        Assert.Equal((7u, 1u), (folder.Status.UidValidity.Value, folder.Status.UidNext.Value));
    }

    [GeneratedRegex(@"^UID STORE (?<set>\S+) ")]
    private static partial Regex Store();
}
