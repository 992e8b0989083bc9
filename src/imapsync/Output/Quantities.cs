using System.Globalization;

namespace Imapsync.CommandLine.Output;

/// <summary>Formats numbers for people.</summary>
internal static class Quantities
{
    private static readonly string[] Units = ["kB", "MB", "GB", "TB", "PB"];

    /// <summary>Formats a count: <c>1,234</c>.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Formats a count with a noun: <c>1 folder</c>, <c>2 folders</c>.</summary>
    public static string Count(long count, string noun) => $"{Count(count)} {noun}{(count == 1 ? "" : "s")}";

    /// <summary>Formats octets in decimal units: <c>999 B</c>, <c>1.2 MB</c>.</summary>
    public static string Octets(double count)
    {
        if (count < 1000)
            return $"{Math.Max(0, count):0} B";
        var unit = -1;
        for (; count >= 999.95 && unit < Units.Length - 1; unit++)
            count /= 1000;
        return string.Create(CultureInfo.InvariantCulture, $"{count:0.0} {Units[unit]}");
    }

    /// <summary>Formats a duration: <c>0.4 s</c>, <c>12 s</c>, <c>3 min 05 s</c>, <c>2 h 07 min</c>.</summary>
    public static string Duration(TimeSpan time) => time.TotalSeconds switch
    {
        < 0 => "0.0 s",
        < 9.95 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s"),
        < 60 => $"{(int)time.TotalSeconds} s",
        < 3600 => $"{(int)time.TotalMinutes} min {time.Seconds:00} s",
        _ => string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours} h {time.Minutes:00} min"),
    };
}
