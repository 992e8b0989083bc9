using Quartz;

namespace Imapsync.Fleet.Executing;

/// <summary>Cron expressions as Quartz reads them. They begin with the seconds, so <c>0 0 2 * * ?</c> means two o'clock at night.</summary>
internal static class Schedules
{
    /// <param name="zone">The IANA name of the schedule's time zone.</param>
    /// <param name="now">Milliseconds since 1970.</param>
    /// <returns>The next time of the schedule in milliseconds since 1970; null if there is none.</returns>
    /// <exception cref="FormatException">The text is not a valid cron expression.</exception>
    /// <exception cref="TimeZoneNotFoundException">This machine does not know the time zone.</exception>
    public static long? Next(string schedule, string zone, long now) =>
        new CronExpression(schedule, TimeZoneInfo.FindSystemTimeZoneById(zone)).GetNextValidTimeAfter(DateTimeOffset.FromUnixTimeMilliseconds(now))?.ToUnixTimeMilliseconds();
}
