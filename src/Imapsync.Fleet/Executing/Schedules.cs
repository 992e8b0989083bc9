using Quartz;

namespace Imapsync.Fleet.Executing;

/// <summary>Cron expressions as Quartz reads them: seconds first, <c>0 0 2 * * ?</c> is two at night.</summary>
internal static class Schedules
{
    /// <param name="zone">An IANA name.</param>
    /// <param name="now">Milliseconds since 1970, as the result; null for never again.</param>
    /// <exception cref="FormatException">It is no such expression.</exception>
    /// <exception cref="TimeZoneNotFoundException"/>
    public static long? Next(string schedule, string zone, long now) =>
        new CronExpression(schedule, TimeZoneInfo.FindSystemTimeZoneById(zone)).GetNextValidTimeAfter(DateTimeOffset.FromUnixTimeMilliseconds(now))?.ToUnixTimeMilliseconds();
}
