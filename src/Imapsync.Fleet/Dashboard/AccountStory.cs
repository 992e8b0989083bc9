using System.Globalization;
using System.Text.Json;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Working;

namespace Imapsync.Fleet.Dashboard;

/// <summary>What an account's page shows besides how it stands.</summary>
/// <param name="Report">Of the attempt that ended last; null where none has ended.</param>
/// <param name="Events">The newest first.</param>
/// <param name="Log">The newest first.</param>
/// <param name="LogEnd">Changes whenever a line is added to the log.</param>
internal sealed record AccountStory(AccountReport? Report, IReadOnlyList<AccountEvent> Events, IReadOnlyList<LogLine> Log, string LogEnd)
{
    public static async Task<AccountStory> ReadAsync(FleetStore store, long account, CancellationToken cancellationToken)
    {
        var ends = await store.ReadLogEndsAsync([account], cancellationToken);
        var log = await store.ReadLogAsync(account, cancellationToken);
        var (report, events) = await store.ReadStoryAsync(account, cancellationToken);
        return new AccountStory(report is null ? null : JsonSerializer.Deserialize<AccountReport>(report, AccountReport.Json), [.. events.Reverse()], log, ends.GetValueOrDefault(account, ""));
    }

    /// <summary>Returns a text that changes whenever the report or the events do.</summary>
    public static string VersionOf(AccountView account) => string.Create(CultureInfo.InvariantCulture, $"{account.Attempt}.{account.Began}.{account.Ended}.{(int)account.Status}");

    /// <summary>The date of a message as its header has it.</summary>
    public static string DateOf(ProblemLine problem) =>
        DateTimeOffset.TryParse(problem.Date, CultureInfo.InvariantCulture, out var date) ? date.ToString("yyyy-MM-dd HH:mm zzz", CultureInfo.InvariantCulture) : problem.Date;
}
