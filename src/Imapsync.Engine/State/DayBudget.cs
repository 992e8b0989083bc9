using System.Globalization;
using System.Text;

namespace Imapsync.Engine.State;

/// <summary>
/// How many octets were moved within 24 hours, in this run and in those before: the current clock hour (UTC) and the 23 before
/// it. So an hour's octets are given back at the same hour of the next day, when a job that runs daily needs them again, and
/// unlike a calendar day's they are not given back all at once, an hour after they were spent. Used from several tasks.
/// </summary>
internal sealed class DayBudget : IAsyncDisposable
{
    private const string Magic = "imapsync-budget 1";
    private const string HourForm = "yyyy-MM-dd'T'HH";
    private const int Hours = 24;
    private const int MaxFileBytes = 4096;

    private readonly IStateMedium state;
    private readonly StateName name;
    private readonly long bytesPerDay;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private readonly SemaphoreSlim saving = new(1);

    // Hours since 1970 → octets.
    private readonly SortedDictionary<long, long> spent = [];
    private long unsaved;

    private DayBudget(IStateMedium state, StateName name, long bytesPerDay, TimeProvider time) =>
        (this.state, this.name, this.bytesPerDay, this.time) = (state, name, bytesPerDay, time);

    public bool IsSpent
    {
        get
        {
            lock (gate)
            {
                Forget();
                return spent.Values.Sum() >= bytesPerDay;
            }
        }
    }

    /// <summary>When there is something to spend again; of no meaning while there is.</summary>
    public DateTimeOffset AvailableAgainAt
    {
        get
        {
            lock (gate)
            {
                Forget();
                var left = spent.Values.Sum();
                foreach (var (hour, bytes) in spent)
                {
                    left -= bytes;
                    if (left < bytesPerDay)
                        return DateTimeOffset.FromUnixTimeSeconds((hour + Hours) * 3600);
                }

                return time.GetUtcNow();
            }
        }
    }

    /// <param name="name">Where there is none, or one that makes no sense, nothing was spent.</param>
    public static async Task<DayBudget> ReadAsync(IStateMedium state, StateName name, long bytesPerDay, TimeProvider time, CancellationToken cancellationToken)
    {
        var budget = new DayBudget(state, name, bytesPerDay, time);
        if (await state.ReadAllAsync(name, MaxFileBytes, cancellationToken) is not { } octets)
            return budget;
        var lines = Encoding.UTF8.GetString(octets).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.FirstOrDefault() != Magic)
            return budget;
        foreach (var line in lines.Skip(1))
        {
            if (line.Split(' ') is [var hour, var bytes]
                && DateTimeOffset.TryParseExact(hour, HourForm, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
                && long.TryParse(bytes, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= long.MaxValue / 100)
                budget.spent[HourOf(at)] = count;
        }

        return budget;
    }

    /// <summary>Saves itself after each hundredth of the budget, and at the end.</summary>
    /// <exception cref="CheckpointException">It can't be written.</exception>
    public async ValueTask SpendAsync(long bytes, CancellationToken cancellationToken)
    {
        bool isDue;
        lock (gate)
        {
            var now = Forget();
            spent[now] = spent.GetValueOrDefault(now) + bytes;
            unsaved += bytes;
            isDue = unsaved >= bytesPerDay / 100;
        }

        if (isDue)
            await SaveAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await SaveAsync(CancellationToken.None);
        saving.Dispose();
    }

    private async Task SaveAsync(CancellationToken cancellationToken)
    {
        await saving.WaitAsync(cancellationToken);
        try
        {
            var text = new StringBuilder(Magic).Append('\n');
            lock (gate)
            {
                if (unsaved == 0)
                    return;
                unsaved = 0;
                Forget();
                foreach (var (hour, bytes) in spent)
                    text.Append(CultureInfo.InvariantCulture, $"{DateTimeOffset.FromUnixTimeSeconds(hour * 3600).ToString(HourForm, CultureInfo.InvariantCulture)} {bytes}\n");
            }

            await state.ReplaceAsync(name, Encoding.ASCII.GetBytes(text.ToString()), cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{state.Where(name)} can't be written: {e.Message}", e);
        }
        finally
        {
            saving.Release();
        }
    }

    private static long HourOf(DateTimeOffset at) => (long)Math.Floor(at.ToUnixTimeSeconds() / 3600.0);

    /// <summary>Drops what is a day old. What was spent later than now, by a clock that has gone back since, is taken as spent now.</summary>
    private long Forget()
    {
        var now = HourOf(time.GetUtcNow());
        foreach (var hour in spent.Keys.Where(h => h <= now - Hours || h > now).ToList())
        {
            spent.Remove(hour, out var bytes);
            if (hour > now)
                spent[now] = spent.GetValueOrDefault(now) + bytes;
        }

        return now;
    }
}
