namespace Imapsync.Engine.Watching;

/// <summary>
/// Decides how soon the next run may begin. After a quiet time it begins at once. While changes never end, the rests grow, so that more
/// changes go into one run, since each run costs both servers a log-in. After failures, too, the rests grow.
/// </summary>
/// <param name="every">The longest rest; see <see cref="Jobs.WatchSettings.Every"/>.</param>
public sealed class WatchPace(TimeSpan every)
{
    /// <summary>How long to wait so that changes that arrive together go into one run.</summary>
    public static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(300);

    public static readonly TimeSpan ShortestRest = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(16);

    /// <summary>The rest after a run found the job locked: another run may hold the lock, and its end can't be foreseen.</summary>
    public static readonly TimeSpan RestAfterLocked = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FirstRestAfterTrouble = TimeSpan.FromSeconds(5);

    private TimeSpan rest = ShortestRest;
    private TimeSpan restAfterTrouble = FirstRestAfterTrouble;

    /// <summary>How long the job is left alone after a run that ended well. It rests for as long as it works, so that another run gets its lock.</summary>
    /// <param name="took">How long the run took.</param>
    /// <param name="wasBusy">True if a change had already been reported when the rest before the run ended.</param>
    public TimeSpan AfterRun(TimeSpan took, bool wasBusy)
    {
        restAfterTrouble = FirstRestAfterTrouble;
        rest = wasBusy ? Least(rest * 2, LongestRest) : ShortestRest;
        return Least(took > rest ? took : rest, every);
    }

    /// <summary>How long the job rests after a run that failed as a whole or reached one of its own limits.</summary>
    public TimeSpan AfterTrouble()
    {
        var now = Least(restAfterTrouble, every);
        restAfterTrouble = Least(restAfterTrouble * 2, every);
        return now;
    }

    private static TimeSpan Least(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
