using System.Buffers.Binary;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores.Mh;

namespace Imapsync.Engine.Tests.Stores.MailFiles;

/// <summary>MH trees as stored by MH, mutt, Claws Mail, Sylpheed and Evolution.</summary>
public sealed class MhTests
{
    private static string Message(string subject, string top = "") => $"{top}Message-ID: <{subject}@x.example>\nDate: Mon, 02 Jun 2025 10:00:00 +0000\nSubject: {subject}\n\n{subject}\n";

    private static string Crlf(string text) => text.Replace("\n", "\r\n", StringComparison.Ordinal);

    private static SourceJob Job() => new(place => new MhEndpoint(place));

    private static string Line(string folder, string flags, string message) => SourceJob.Line(folder, flags, Crlf(message));

    [Fact]
    public async Task Sequences_become_flags_and_keywords()
    {
        using var job = Job();
        for (var i = 1; i <= 9; i++)
            job.Write($"inbox/{i}", Message($"m{i}"));
        job.Write("inbox/,4", Message("deleted"));
        job.Write("inbox/.mh_sequences", "cur: 3\nunseen: 1-2 7\n 9\nflagged: 2 8-9\nreplied: 5\nTodo: 6\nnonsense 4711\nunseen-not: x-y 0 99999999999\n");
        job.Write("inbox/sub folder/1", Message("below"));
        job.Write("context", "Current-Folder: inbox\n");

        await job.SucceedAsync();

        Assert.Equal(
            new[]
            {
                Line("INBOX", "", Message("m1")), Line("INBOX", "\\Flagged", Message("m2")), Line("INBOX", "\\Seen", Message("m3")), Line("INBOX", "\\Seen", Message("m4")),
                Line("INBOX", "\\Seen \\Answered", Message("m5")), Line("INBOX", "\\Seen Todo", Message("m6")), Line("INBOX", "", Message("m7")),
                Line("INBOX", "\\Seen \\Flagged", Message("m8")), Line("INBOX", "\\Flagged", Message("m9")), Line("INBOX/sub folder", "", Message("below")),
            }.Order(StringComparer.Ordinal),
            job.Arrived());
        Assert.Contains(job.Notes, n => n.Contains("MH has deleted", StringComparison.Ordinal));
        Assert.Equal(0, (await job.SucceedAsync()).Totals.Copied);
    }

    /// <summary>Mutt, for example, may have folders in MH, Maildir and mbox format below one directory.</summary>
    [Fact]
    public async Task Mail_of_another_kind_among_the_folders_decides_the_exit_status()
    {
        using var job = Job();
        job.Write("inbox/1", Message("m1"));
        job.Write("inbox/notes", "nothing of mail\n");
        await job.SucceedAsync();
        Assert.Contains(job.Notes, n => n.Contains("/inbox/notes first", StringComparison.Ordinal));

        job.Write("sent", $"From a@x.example Mon Jun  2 10:00:00 2025\n{Message("in an mbox")}\n");
        job.Write("inbox/7.eml", Message("in a file of its own"));
        await job.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, 2), (job.Report.Outcome, job.Report.Problems.Length));
        Assert.Contains("hold mail (an mbox): 1, " + Path.Combine(job.Source, "sent"), job.Problems, StringComparison.Ordinal);
        Assert.Contains("hold mail (a single message): 1, " + Path.Combine(job.Source, "inbox/7.eml"), job.Problems, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sequence_that_changes_is_followed()
    {
        using var job = Job();
        job.Write("a/1", Message("one"));
        job.Write("a/2", Message("two"));
        job.Write("a/.mh_sequences", "unseen: 1-2\n");
        await job.SucceedAsync();
        job.Write("a/.mh_sequences", "unseen: 2\n");
        job.Write("a/3", Message("three"));

        var second = await job.SucceedAsync();

        Assert.Equal(1, second.Totals.Copied);
        Assert.Equal(new[] { Line("a", "\\Seen", Message("one")), Line("a", "", Message("two")), Line("a", "\\Seen", Message("three")) }.Order(StringComparer.Ordinal), job.Arrived());
    }

    [Theory]
    [InlineData(".claws_mark", true)]
    [InlineData(".sylpheed_mark", true)]
    [InlineData(".claws_mark", false)]
    public async Task Marks_of_Claws_Mail_and_Sylpheed_become_flags(string file, bool isLittle)
    {
        using var job = Job();
        (uint Number, uint Bits, string Flags)[] marks = [(1, 3, ""), (2, 0, "\\Seen"), (3, 1 << 2, "\\Seen \\Flagged"), (4, 1 << 4, "\\Seen \\Answered"), (5, (1 << 5) | 2, "$Forwarded")];
        foreach (var (number, _, _) in marks)
            job.Write($"a/{number}", Message($"m{number}"));
        job.Write("a/6", Message("m6"));
        var octets = new byte[4 + (8 * marks.Length)];
        Put(0, 2);
        for (var i = 0; i < marks.Length; i++)
        {
            Put(4 + (8 * i), marks[i].Number);
            Put(8 + (8 * i), marks[i].Bits);
        }

        File.WriteAllBytes(Path.Combine(job.Source, "a", file), octets);

        await job.SucceedAsync();

        Assert.Equal(marks.Select(m => Line("a", m.Flags, Message($"m{m.Number}"))).Append(Line("a", "", Message("m6"))).Order(StringComparer.Ordinal), job.Arrived());

        void Put(int at, uint value)
        {
            if (isLittle)
                BinaryPrimitives.WriteUInt32LittleEndian(octets.AsSpan(at), value);
            else
                BinaryPrimitives.WriteUInt32BigEndian(octets.AsSpan(at), value);
        }
    }

    [Fact]
    public async Task Evolution_keeps_its_flags_in_the_message()
    {
        using var job = Job();
        var read = Message("read", "X-Evolution: 0000002a-0019\n");
        job.Write("a/1", read);
        job.Write("a/2", Message("plain"));

        await job.SucceedAsync();

        Assert.Equal(new[] { Line("a", "\\Seen \\Answered \\Flagged", read), Line("a", "", Message("plain")) }.Order(StringComparer.Ordinal), job.Arrived());
    }

    [Fact]
    public async Task A_file_of_marks_that_can_not_be_read_is_told_and_the_mail_arrives()
    {
        using var job = Job();
        job.Write("a/1", Message("one"));
        job.Write("a/.claws_mark", "garbage");

        var report = await job.RunAsync();

        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        Assert.Contains("the flags of their folders are left out", job.Problems, StringComparison.Ordinal);
        Assert.Equal([Line("a", "", Message("one"))], job.Arrived());
    }

    [Fact]
    public async Task A_folder_that_is_packed_is_not_copied_again()
    {
        using var job = Job();
        foreach (var number in (int[])[2, 3, 7, 9])
            job.Write($"a/{number}", Message($"m{number}"));
        job.Write("a/.mh_sequences", "unseen: 9\n");
        await job.SucceedAsync();
        var at = 1;
        foreach (var number in (int[])[2, 3, 7, 9])
            File.Move(Path.Combine(job.Source, $"a/{number}"), Path.Combine(job.Source, $"a/{at++}"));
        job.Write("a/.mh_sequences", "unseen: 4\n");

        Assert.Equal(0, (await job.SucceedAsync()).Totals.Copied);
        Assert.Equal(0, (await job.SucceedAsync()).Totals.Copied);
        Assert.Equal(4, job.Arrived().Count);
    }
}
