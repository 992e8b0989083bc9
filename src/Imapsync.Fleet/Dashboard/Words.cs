using System.Globalization;
using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Dashboard;

/// <summary>Numbers, times and statuses as the pages write them.</summary>
internal static class Words
{
    private static readonly string[] Units = ["B", "KB", "MB", "GB", "TB", "PB"];

    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Accounts(long number) => number == 1 ? "1 account" : Number(number) + " accounts";

    /// <summary>Returns a share in percent, as the value of a progress element.</summary>
    public static string Percent(long part, long whole) => whole <= 0 ? "0" : Math.Clamp(100.0 * part / whole, 0, 100).ToString("0.#", CultureInfo.InvariantCulture);

    /// <summary>Formats a number of octets in decimal units.</summary>
    public static string Size(long octets)
    {
        var (value, unit) = ((double)octets, 0);
        for (; value >= 1000 && unit < Units.Length - 1; unit++)
            value /= 1000;
        return value.ToString(unit == 0 || value >= 100 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + Units[unit];
    }

    /// <summary>Formats milliseconds since 1970 as UTC, to the minute; empty for null.</summary>
    public static string Time(long? milliseconds) =>
        milliseconds is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC" : "";

    /// <summary>Formats milliseconds since 1970 as UTC, to the second.</summary>
    public static string Moment(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC";

    public static string Status(AccountStatus status) => status.ToString().ToLowerInvariant();

    /// <summary>Returns the status and, if a worker has the account, what a user has requested for it.</summary>
    public static string Status(AccountView account) => account.Wanted switch
    {
        Wanted.Pause => Status(account.Status) + ", pausing",
        Wanted.Cancel => Status(account.Status) + ", cancelling",
        _ => Status(account.Status),
    };
}
