using System.Globalization;
using System.Text.Json;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Working;

namespace Imapsync.Fleet.Dashboard;

/// <summary>What an account's page shows in addition to the account's status.</summary>
/// <param name="Report">The report of the attempt that ended last; null if none has ended.</param>
/// <param name="Events">The account's events, newest first.</param>
/// <param name="Log">The log lines, newest first.</param>
/// <param name="LogEnd">A text that changes whenever a line is added to the log.</param>
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

    /// <summary>Formats the date in a message's header; a date that can't be parsed is returned unchanged.</summary>
    public static string DateOf(ProblemLine problem) =>
        DateTimeOffset.TryParse(problem.Date, CultureInfo.InvariantCulture, out var date) ? date.ToString("yyyy-MM-dd HH:mm zzz", CultureInfo.InvariantCulture) : problem.Date;
}
