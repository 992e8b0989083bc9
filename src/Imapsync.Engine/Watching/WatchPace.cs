namespace Imapsync.Engine.Watching;

/// <summary>
/// Decides how soon the next run may begin. After a quiet time it begins at once. While changes keep coming, the pauses grow, because each
/// run costs both servers a log-in. After failures the pauses grow, too.
/// </summary>
/// <param name="every">The longest pause; see <see cref="Jobs.WatchSettings.Every"/>.</param>
public sealed class WatchPace(TimeSpan every)
{
    /// <summary>How long to wait so that changes that arrive together go into one run.</summary>
    public static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(300);

    public static readonly TimeSpan ShortestRest = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(16);

    /// <summary>
    /// The pause after a run that found the job locked by another run. It does not grow, because the other run may end at any time.
    /// </summary>
    public static readonly TimeSpan RestAfterLocked = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FirstRestAfterTrouble = TimeSpan.FromSeconds(5);

    private TimeSpan rest = ShortestRest;
    private TimeSpan restAfterTrouble = FirstRestAfterTrouble;

    /// <summary>
    /// Returns the pause after a run that ended well. It is at least as long as the run took, so that another run can get the job's lock.
    /// It is never longer than the longest pause.
    /// </summary>
    /// <param name="wasBusy">True if a change had already been reported when the pause before the run ended.</param>
    public TimeSpan AfterRun(TimeSpan took, bool wasBusy)
    {
        restAfterTrouble = FirstRestAfterTrouble;
        rest = wasBusy ? Least(rest * 2, LongestRest) : ShortestRest;
        return Least(took > rest ? took : rest, every);
    }

    /// <summary>Returns the pause after a run that failed as a whole or reached one of the job's limits, such as octets per day.</summary>
    public TimeSpan AfterTrouble()
    {
        var now = Least(restAfterTrouble, every);
        restAfterTrouble = Least(restAfterTrouble * 2, every);
        return now;
    }

    private static TimeSpan Least(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
