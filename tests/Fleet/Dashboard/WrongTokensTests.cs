using Imapsync.Fleet.Dashboard;
using Imapsync.Tests.Support;

namespace Imapsync.Fleet.Tests.Dashboard;

/// <summary>The limits on the rate at which tokens can be guessed at the sign-in page.</summary>
public sealed class WrongTokensTests
{
    [Fact]
    public async Task Wrong_tokens_are_answered_one_a_second_and_too_many_at_once_not_at_all()
    {
        var clock = new ManualClock();
        using var wrong = new WrongTokens(clock);
        var waiting = Enumerable.Range(0, 20).Select(_ => wrong.WaitAsync(CancellationToken.None)).ToList();
        Assert.False(await wrong.WaitAsync(CancellationToken.None));
        Assert.DoesNotContain(waiting, w => w.IsCompleted);
        var seconds = 0;
        for (; !waiting.TrueForAll(w => w.IsCompleted); seconds++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.All(await Task.WhenAll(waiting), Assert.True);
        Assert.True(seconds >= 20, $"20 wrong tokens were answered in {seconds} s");
    }
}
