using System.Collections.Immutable;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>Some folders can't have their own names at the target. Each gets another name there, the same in every run.</summary>
public sealed class TargetFolderTests : IDisposable
{
    private readonly MailboxFixture box = new();

    public void Dispose() => box.Dispose();

    [Theory]
    [InlineData("nothing there", "", "Work=Work WORK (2)=work", "Work,work")]
    [InlineData("a folder has that name already", "", "Work=Work Work (2)=Work (2) work (2) (2)=work", "Work,work,Work (2)")]
    [InlineData("it was there in another case", "sent", "sent=Sent", "Sent")]
    [InlineData("it was there in another case, and two want it", "work", "work=work Work (2)=Work", "Work,work")]
    [InlineData("children go along", "", "Work=Work work (2)=work work (2)/a=work/a Work/a=Work/a", "Work,Work/a,work,work/a")]
    public async Task Folders_that_differ_in_case_alone_never_share(string what, string there, string expected, string source)
    {
        box.Target.IgnoresCase = true;
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror };
        await ArriveAsync(what, source, there, expected);
    }

    [Theory]
    [InlineData("said in the listing", false)]
    [InlineData("not said", true)]
    public async Task Where_a_folder_holds_no_folders_they_go_beside_it(string what, bool isHidden)
    {
        box.Target.IsChildless = p => p.Name != "Open";
        box.Target.HidesNoInferiors = isHidden;
        await ArriveAsync(what, "A,A/B,A/B/C,Open/x,A_B", "Open", "A=A A_B=A_B A_B (2)=A/B A_B (2)_C=A/B/C Open/x=Open/x");
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(7u)]
    public async Task A_folder_that_is_gone_from_the_target_is_filled_again_whether_it_told_a_UIDVALIDITY_or_not(uint validity)
    {
        box.Target.NextValidity = validity;
        box.Source.Folder("Work").Add(MailboxFixture.Mail("a"));
        box.Source.Folder("Empty");
        await box.RunAsync();
        box.Target.Folders.Remove(FolderPath.Parse("Work"));
        box.Target.NextValidity = validity == 0 ? 0u : 99;
        Assert.Equal(1, (await box.RunAsync()).Totals.Copied);
        Assert.Single(box.Target.Folder("Work").Messages);
        Assert.Equal(0, (await box.RunAsync()).Totals.Copied);
    }

    [Fact]
    public async Task Names_that_are_refused_are_tried_with_their_odd_characters_escaped()
    {
        box.Target.Refuses = p => p.Levels.Any(l => l.AsSpan().IndexOfAny('.', '^') >= 0 || l.Trim() != l || l.Contains("  ", StringComparison.Ordinal));
        await ArriveAsync("escaped", "v1.0, a  b ,100%", "", "100%=100% =20a =20b=20= a  b  v1=2E0=v1.0");
    }

    [Fact]
    public async Task Where_folders_can_be_made_below_INBOX_alone_they_are()
    {
        box.Target.Refuses = p => p.Levels[0] != "INBOX";
        await ArriveAsync("below INBOX", "INBOX,Sent,Sent/x", "INBOX", "INBOX=INBOX INBOX/Sent=Sent INBOX/Sent/x=Sent/x");
    }

    [Fact]
    public async Task What_the_store_itself_writes_otherwise_is_found_again()
    {
        box.Target.ListedAs = p => FolderPath.Parse(p.ToString().Replace("\\/", "%2F", StringComparison.Ordinal));
        await ArriveAsync("escaped by the store", "a\\/b,a%2Fb,a\\/b/c", "", "a%2Fb=a%2Fb a%2Fb (2)=a\\/b a%2Fb (2)/c=a\\/b/c");
    }

    [Fact]
    public async Task A_folder_that_can_not_be_made_is_reported_and_the_others_arrive()
    {
        FillSource("INBOX,Long,Sent");
        box.Target.Refuses = p => p.Name.StartsWith("Long", StringComparison.Ordinal);
        for (var run = 0; run < 2; run++)
        {
            var report = await box.RunAsync();
            Assert.Equal(JobOutcome.Incomplete, report.Outcome);
            var problem = Assert.Single(report.Problems);
            Assert.Equal(("Long", "create"), (problem.Folder!.ToString(), problem.Reason));
            Assert.Contains("NO invalid name", problem.Text, StringComparison.Ordinal);
            Assert.Equal(1, report.Totals.Failed);
            Assert.Equal(report.Totals.SourceMessages, report.Totals.Copied + report.Totals.AlreadyPresent + report.Totals.Failed);
            Assert.Equal(["INBOX", "Sent"], box.Target.Folders.Keys.Select(p => p.ToString()).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task Folders_that_the_map_brings_together_share_a_place_under_another_name_too()
    {
        box.Target.Refuses = p => p.Name.Contains('.', StringComparison.Ordinal);
        box.Job = box.Job with
        {
            Folders = new FolderRules
            {
                Map = ImmutableDictionary<FolderPath, FolderPath>.Empty.Add(FolderPath.Parse("a"), FolderPath.Parse("x.y")).Add(FolderPath.Parse("b"), FolderPath.Parse("x.y")),
            },
        };
        FillSource("a,b");
        Assert.Equal(2, (await box.RunAsync()).Totals.Copied);
        Assert.Equal("x=2Ey", Assert.Single(box.Target.Folders.Keys).ToString());
        Assert.Equal(2, box.Target.Folder("x=2Ey").Messages.Count);
    }

    [Fact]
    public async Task A_renamed_folder_and_its_children_are_renamed_at_the_target()
    {
        FillSource("A,A/b");
        foreach (var (path, folder) in box.Source.Folders)
            folder.MailboxId = "id-" + path;
        await box.RunAsync();
        foreach (var (from, to) in new[] { ("A", "Z"), ("A/b", "Z/b") })
        {
            box.Source.Folders.Remove(FolderPath.Parse(from), out var state);
            box.Source.Folders[FolderPath.Parse(to)] = state!;
        }

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0, 2L), (report.Outcome, report.Totals.Copied, report.Totals.AlreadyPresent));
        Assert.Equal("Z=A Z/b=A/b", DescribeTarget());
    }

    [Theory]
    [InlineData(true, DeletionPolicy.Keep, false)]
    [InlineData(true, DeletionPolicy.Mirror, false)]
    [InlineData(false, DeletionPolicy.Keep, false)]
    [InlineData(true, DeletionPolicy.Keep, true)]
    [InlineData(true, DeletionPolicy.Mirror, true)]
    [InlineData(false, DeletionPolicy.Keep, true)]
    public async Task What_lies_below_a_renamed_folder_and_did_not_go_along_keeps_its_name(bool isDeleted, DeletionPolicy deletions, bool isInterrupted)
    {
        box.Job = box.Job with { Deletions = deletions, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        FillSource("A,A/b,A/c");
        foreach (var (path, folder) in box.Source.Folders)
            folder.MailboxId = "id-" + path;
        await box.RunAsync();
        foreach (var (from, to) in new[] { ("A", "C"), ("A/c", "C/c") })
        {
            box.Source.Folders.Remove(FolderPath.Parse(from), out var state);
            box.Source.Folders[FolderPath.Parse(to)] = state!;
        }

        if (isDeleted)
            box.Source.Folders.Remove(FolderPath.Parse("A/b"));
        if (isInterrupted)
        {
            // Interrupt the run after the parent's rename has also moved the child, and before the child gets its old name back.
            box.Target.OnStep = s =>
            {
                if (s == "rename C/b A/b")
                    throw new MailException(FailureScope.Store, isTransient: false, "gone");
            };
            Assert.Equal(JobOutcome.Failed, (await box.RunAsync()).Outcome);
            Assert.Single(box.Target.Folder("C/b").Messages);
            box.Target.OnStep = _ => { };
        }

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0L), (report.Outcome, report.Totals.Copied));
        Assert.Single(box.Target.Folder("C/c").Messages);
        Assert.False(box.Target.Folders.ContainsKey(FolderPath.Parse("C/b")));
        Assert.Equal(deletions == DeletionPolicy.Mirror ? 0 : 1, box.Target.Folder("A/b").Messages.Count);
        Assert.Single(box.Target.Folder("C").Messages);
    }

    [Fact]
    public async Task A_rename_that_the_target_refuses_copies_again_and_loses_nothing()
    {
        FillSource("A");
        box.Source.Folder("A").MailboxId = "id";
        await box.RunAsync();
        box.Source.Folders.Remove(FolderPath.Parse("A"), out var state);
        box.Source.Folders[FolderPath.Parse("Z")] = state!;
        box.Target.OnStep = step =>
        {
            if (step.StartsWith("rename", StringComparison.Ordinal))
                throw new MailException(FailureScope.Folder, false, "NO not here");
        };

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 1), (report.Outcome, report.Totals.Copied));
        Assert.Equal("A=A Z=A", DescribeTarget());
        Assert.Contains(report.Notes, n => n.Contains("NO not here", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Subscriptions_change_with_the_source_and_the_targets_user_keeps_theirs()
    {
        FillSource("A,B");
        box.Source.Folder("A").Subscribed = true;
        await box.RunAsync();
        Assert.Equal((true, false), (box.Target.Folder("A").Subscribed, box.Target.Folder("B").Subscribed));

        box.Target.Folder("A").Subscribed = false;
        box.Target.Folder("B").Subscribed = true;
        await box.RunAsync();
        Assert.Equal((false, true), (box.Target.Folder("A").Subscribed, box.Target.Folder("B").Subscribed));

        box.Source.Folder("B").Subscribed = true;
        box.Source.Folder("B").Add(MailboxFixture.Mail("new"));
        await box.RunAsync();
        box.Source.Folder("B").Subscribed = false;
        box.Source.Folder("B").Add(MailboxFixture.Mail("newer"));
        await box.RunAsync();
        Assert.Equal((false, false), (box.Target.Folder("A").Subscribed, box.Target.Folder("B").Subscribed));
    }

    /// <summary>
    /// Asserts that each folder's mail arrives in exactly one target folder. A second run changes nothing, and a run without checkpoints
    /// recognises all mail.
    /// </summary>
    private async Task ArriveAsync(string what, string source, string there, string expected)
    {
        FillSource(source);
        foreach (var name in there.Split(',', StringSplitOptions.RemoveEmptyEntries))
            box.Target.Folder(name);
        var count = source.Split(',').Length;
        var first = await box.RunAsync();
        Assert.Equal((what, JobOutcome.Ok, count, 0L), (what, first.Outcome, first.Totals.Copied, first.Totals.Deleted));
        Assert.Equal((what, expected.ToUpperInvariant()), (what, DescribeTarget().ToUpperInvariant()));
        Assert.True(first.Notes.Any() || there.Length > 0, what);

        box.Target.Steps.Clear();
        var second = await box.RunAsync();
        Assert.Equal((what, JobOutcome.Ok, 0, (long)count), (what, second.Outcome, second.Totals.Copied, second.Totals.AlreadyPresent));
        Assert.Equal(["list"], box.Target.Steps);

        box.DeleteCheckpoints();
        var third = await box.RunAsync();
        Assert.Equal((what, JobOutcome.Ok, 0, (long)count), (what, third.Outcome, third.Totals.Copied, third.Totals.AlreadyPresent));
        Assert.Equal((what, expected.ToUpperInvariant()), (what, DescribeTarget().ToUpperInvariant()));
    }

    private void FillSource(string folders)
    {
        foreach (var name in folders.Split(','))
            box.Source.Folder(name).Add($"Message-ID: <{Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(name))}@x>\r\nSubject: {name}\r\n\r\n");
    }

    /// <summary>Each target folder with the source folders whose mail it holds.</summary>
    private string DescribeTarget() => string.Join(' ', box.Target.Folders.Where(f => f.Value.Messages.Count > 0).OrderBy(f => f.Key.ToString(), StringComparer.OrdinalIgnoreCase).Select(f =>
        $"{f.Key}={string.Join('+', f.Value.Messages.Select(m => System.Text.Encoding.Latin1.GetString(m.Octets).Split("Subject: ")[1][..^4]))}"));
}
