using Imapsync.Engine.Stores.Imap;

namespace Imapsync.Engine.Tests.Stores.Imap;

public sealed class RefusalRowTests
{
    [Theory]
    [InlineData(1000, 12, 60)]
    [InlineData(100_000, 2000, 5000)]
    public void A_mailbox_that_takes_nothing_is_asked_seldom(int messages, int least, int most)
    {
        var row = new RefusalRow(new Random(7));
        Assert.InRange(Send(row, messages, good: -1).Count, least, most);
    }

    [Fact]
    public void A_good_message_among_bad_ones_is_sent_in_one_of_the_next_runs_wherever_it_lies()
    {
        var random = new Random(11);
        var sent = new HashSet<int>();
        for (var run = 0; run < 400; run++)
            sent.UnionWith(Send(new RefusalRow(random), 100, good: -1));
        Assert.Equal(100, sent.Count);
    }

    [Fact]
    public void One_that_is_taken_ends_the_row()
    {
        var row = new RefusalRow(new Random(3));
        var sent = Send(row, 40, good: 9);
        Assert.Equal(Enumerable.Range(0, 20), sent.Take(20));
        Assert.True(sent.Count < 40);
    }

    private static List<int> Send(RefusalRow row, int messages, int good)
    {
        var sent = new List<int>();
        for (var i = 0; i < messages; i++)
        {
            if (row.PassesOver())
                continue;
            sent.Add(i);
            if (i == good)
                row.Accepted();
            else
                row.Refused("NO");
        }

        return sent;
    }
}
