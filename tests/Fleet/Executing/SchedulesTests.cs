using System.Globalization;
using Imapsync.Fleet.Executing;

namespace Imapsync.Fleet.Tests.Executing;

public sealed class SchedulesTests
{
    /// <summary>
    /// On a day on which the clock is put forward or back, a scheduled time of day may not exist, or may occur
    /// twice. The test includes such days.
    /// </summary>
    [Theory]
    [InlineData("Europe/Vienna")]
    [InlineData("America/New_York")]
    [InlineData("Australia/Lord_Howe")]
    [InlineData("Asia/Kolkata")]
    [InlineData("UTC")]
    public void A_nightly_run_is_due_once_each_day(string zone)
    {
        var local = TimeZoneInfo.FindSystemTimeZoneById(zone);
        foreach (var (hour, minute) in (from h in Enumerable.Range(0, 5) from m in (int[])[0, 15, 30] select (h, m)))
        {
            var schedule = string.Create(CultureInfo.InvariantCulture, $"0 {minute} {hour} * * ?");
            var at = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
            var days = new List<DateOnly>();
            for (var n = 0; n < 730; n++)
            {
                at = Schedules.Next(schedule, zone, at)!.Value;
                days.Add(DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(at), local).DateTime));
            }

            Assert.Equal(Enumerable.Range(0, 730).Select(days[0].AddDays), days);
        }
    }
}
