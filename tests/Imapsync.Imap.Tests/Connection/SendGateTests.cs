using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Tests.Connection;

public sealed class SendGateTests
{
    private static readonly SentCommand Free = new(CommandClass.Free, false);
    private static readonly SentCommand Fetch = new(CommandClass.NeedsSelection, false);
    private static readonly SentCommand Select = new(CommandClass.ChangesSelection, false);
    private static readonly SentCommand Alone = new(CommandClass.Alone, false);
    private static readonly SentCommand Waiting = new(CommandClass.Free, true);

    [Fact]
    public void Anything_may_be_sent_into_silence()
    {
        foreach (var next in Enum.GetValues<CommandClass>())
            Assert.True(SendGate.MaySend(next, []));
    }

    [Fact]
    public void The_table_of_who_may_follow_whom()
    {
        // Rows are the commands in flight. Columns are the next command: Free, NeedsSelection, ChangesSelection, Alone.
        (SentCommand[] InFlight, bool[] May)[] table =
        [
            ([Free], [true, true, true, false]),
            ([Fetch], [true, true, false, false]),
            ([Select], [true, false, false, false]),
            ([Alone], [false, false, false, false]),
            ([Waiting], [false, false, false, false]),
            ([Free, Fetch], [true, true, false, false]),
            ([Fetch, Waiting], [false, false, false, false]),
        ];
        foreach (var (inFlight, may) in table)
            Assert.Equal(may, Enum.GetValues<CommandClass>().Select(next => SendGate.MaySend(next, inFlight)));
    }

    [Theory]
    [InlineData(16, 8)]
    [InlineData(3, 2)]
    [InlineData(2, 1)]
    [InlineData(1, 1)]
    public void At_most_so_many_are_in_flight_and_the_next_go_when_half_are_answered(int most, int half)
    {
        Assert.False(SendGate.IsFull(most - 1, most, wasFull: false));
        Assert.True(SendGate.IsFull(most, most, wasFull: false));
        Assert.True(SendGate.IsFull(half, most, wasFull: true));
        Assert.False(SendGate.IsFull(half - 1, most, wasFull: true));
    }
}
