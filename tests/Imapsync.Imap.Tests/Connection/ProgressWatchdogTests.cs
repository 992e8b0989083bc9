using Imapsync.Imap.Connection;
using Imapsync.Tests.Support;

namespace Imapsync.Imap.Tests.Connection;

public sealed class ProgressWatchdogTests
{
    private readonly ManualClock clock = new();
    private readonly List<string> stalls = [];

    [Fact]
    public void A_trickle_is_a_stall_after_thirty_times_the_timeout()
    {
        using var watchdog = Begin();
        Trickle(watchdog, minutes: 59, octets: 1);
        Assert.Empty(stalls);
        Trickle(watchdog, minutes: 2, octets: 1);
        Assert.Contains("in 60 min", Assert.Single(stalls), StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_begins_the_hour_anew()
    {
        using var watchdog = Begin();
        for (var i = 0; i < 5; i++)
        {
            Trickle(watchdog, minutes: 50, octets: 1);
            watchdog.CommandSent();
            watchdog.CommandAnswered();
        }

        Assert.Empty(stalls);
    }

    [Fact]
    public void A_slow_line_that_moves_its_octets_is_none()
    {
        using var watchdog = Begin();
        Trickle(watchdog, minutes: 300, octets: (1 << 20) / 50);
        Assert.Empty(stalls);
    }

    [Fact]
    public void What_this_side_waits_for_does_not_count()
    {
        using var watchdog = Begin();
        for (var i = 0; i < 10; i++)
        {
            Trickle(watchdog, minutes: 5, octets: 1);
            using (watchdog.Pause())
                clock.Advance(TimeSpan.FromHours(1));
            watchdog.TransferDone(1);
            clock.Advance(TimeSpan.FromHours(1));
            watchdog.TransferPending();
        }

        Assert.Empty(stalls);
    }

    private ProgressWatchdog Begin()
    {
        var watchdog = new ProgressWatchdog(clock, TimeSpan.FromMinutes(2), stalls.Add);
        watchdog.CommandSent();
        watchdog.TransferPending();
        return watchdog;
    }

    private void Trickle(ProgressWatchdog watchdog, int minutes, int octets)
    {
        for (var i = 0; i < minutes; i++)
        {
            clock.Advance(TimeSpan.FromMinutes(1));
            watchdog.TransferDone(octets);
            watchdog.TransferPending();
        }
    }
}
