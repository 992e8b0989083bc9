using System.Globalization;
using System.Security.Cryptography;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.Stores.Local;

/// <summary>
/// Makes unique names for new messages, <c>SECONDS.M…P…Q…R….HOST</c> (cr.yp.to/proto/maildir.html), and recognises this program's own names in
/// tmp/. R is drawn at random once for each process, since two containers may share host name and process number.
/// </summary>
internal sealed class DeliveryNames(TimeProvider time)
{
    private static readonly TimeSpan Abandoned = TimeSpan.FromHours(36);
    private static readonly string Process = $"R{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
    private static readonly string Host = EscapedHost(Environment.MachineName);
    private static long counter;

    public string Next()
    {
        var ticks = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks;
        var (seconds, rest) = Math.DivRem(ticks, TimeSpan.TicksPerSecond);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{seconds}.M{rest / TimeSpan.TicksPerMicrosecond:D6}P{Environment.ProcessId}Q{Interlocked.Increment(ref counter)}{Process}.{Host}");
    }

    /// <summary>
    /// Removes temporary files that will never be finished: those with this program's names whose process on this host is dead, or that are
    /// older than 36 hours.
    /// </summary>
    public void RemoveLeftovers(string tmpDirectory)
    {
        foreach (var file in new DirectoryInfo(tmpDirectory).EnumerateFiles())
        {
            if (IsOurs(file.Name, out var pid, out var session, out var host)
                && ((host == Host && session != Process && (pid == Environment.ProcessId || !Posix.ProcessMayLive(pid)))
                    || time.GetUtcNow() - new DateTimeOffset(file.LastWriteTimeUtc) > Abandoned))
                file.Delete();
        }
    }

    private static bool IsOurs(string name, out int pid, out string session, out string host)
    {
        (pid, session, host) = (0, "", "");
        var parts = name.Split('.', 3);
        if (parts.Length < 3 || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out _))
            return false;
        var (p, q, r) = (parts[1].IndexOf('P', StringComparison.Ordinal), parts[1].IndexOf('Q', StringComparison.Ordinal), parts[1].IndexOf('R', StringComparison.Ordinal));
        if (!parts[1].StartsWith('M') || p < 0 || q < p || r < q || parts[1].Length - r != 9)
            return false;
        session = parts[1][r..];
        host = parts[2].Split(',')[0];
        return int.TryParse(parts[1].AsSpan((p + 1)..q), NumberStyles.None, CultureInfo.InvariantCulture, out pid);
    }

    private static string EscapedHost(string host)
    {
        var escaped = host.Replace("/", "\\057", StringComparison.Ordinal).Replace(":", "\\072", StringComparison.Ordinal).Replace(",", "\\054", StringComparison.Ordinal);
        return escaped.Length is 0 ? "localhost" : escaped[..Math.Min(escaped.Length, 100)];
    }
}
