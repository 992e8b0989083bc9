using System.Globalization;
using System.Text;

namespace Imapsync.Engine.State;

/// <summary>
/// Counts the octets that this run and earlier ones transferred in the last 24 hours: in the current hour of the clock (UTC) and in the 23
/// hours before it. The octets of one hour become available again at the same hour of the next day, which is when a daily job needs them.
/// With a count per calendar day, all octets would become available at midnight, perhaps an hour after they were used. Thread-safe.
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

    // The octets used in each hour, by the number of hours since 1970.
    private readonly SortedDictionary<long, long> spent = [];
    private long unsaved;
    private long beingSaved;

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

    /// <summary>When a part of the budget becomes available again. Meaningful only while the budget is used up.</summary>
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

    /// <param name="name">The piece of state to read. If it is missing or invalid, nothing counts as spent.</param>
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

    /// <summary>Adds octets to the current hour. The count is saved after each hundredth of the budget and on disposal.</summary>
    /// <exception cref="CheckpointException">The count can't be written.</exception>
    public async ValueTask SpendAsync(long bytes, CancellationToken cancellationToken)
    {
        bool isDue;
        lock (gate)
        {
            var now = Forget();
            spent[now] = spent.GetValueOrDefault(now) + bytes;
            unsaved += bytes;
            isDue = unsaved - beingSaved >= bytesPerDay / 100;
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
            long saved;
            lock (gate)
            {
                if (unsaved == 0)
                    return;
                saved = beingSaved = unsaved;
                Forget();
                foreach (var (hour, bytes) in spent)
                    text.Append(CultureInfo.InvariantCulture, $"{DateTimeOffset.FromUnixTimeSeconds(hour * 3600).ToString(HourForm, CultureInfo.InvariantCulture)} {bytes}\n");
            }

            await state.ReplaceAsync(name, Encoding.ASCII.GetBytes(text.ToString()), cancellationToken);
            // The saved octets are subtracted only after the write. So if a write fails, the next one saves its octets as well.
            lock (gate)
                unsaved -= saved;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{state.Where(name)} can't be written: {e.Message}", e);
        }
        finally
        {
            lock (gate)
                beingSaved = 0;
            saving.Release();
        }
    }

    private static long HourOf(DateTimeOffset at) => (long)Math.Floor(at.ToUnixTimeSeconds() / 3600.0);

    /// <summary>
    /// Drops hours that are a day old and returns the current hour. Octets recorded for a later hour, because the clock has since been set
    /// back, are moved to the current one.
    /// </summary>
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
