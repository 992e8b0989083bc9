using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Checking;

/// <summary>
/// Estimates how long jobs will take. It uses the usual speed of a mail server for one account, the number of accounts copied in parallel,
/// and the limits set in the job file.
/// </summary>
public static class DurationEstimate
{
    /// <summary>The usual speed that hosted mail servers allow one account.</summary>
    public const int MessagesPerSecond = 50;
    public const int BytesPerSecond = 2_000_000;

    public static TimeSpan Of(IEnumerable<(JobDefinition Job, MailboxSize Size)> accounts, int parallel)
    {
        var (sum, longest) = (0.0, 0.0);
        var hosts = new Dictionary<HostLimits, (double Messages, double Bytes)>();
        foreach (var (job, size) in accounts)
        {
            double messages = size.MessagesLeft, bytes = size.BytesLeft ?? 0;
            var seconds = Math.Max(messages / MessagesPerSecond, bytes / BytesPerSecond);
            foreach (var endpoint in new[] { job.Source, job.Target })
            {
                seconds = Math.Max(seconds, At(endpoint.Limits, messages, bytes));
                if ((endpoint as ServerEndpoint)?.HostLimits is { } host)
                {
                    var (m, b) = hosts.GetValueOrDefault(host);
                    hosts[host] = (m + messages, b + bytes);
                }
            }

            sum += seconds;
            longest = Math.Max(longest, seconds);
        }

        var paced = hosts.Select(h => At(h.Key.Pace, h.Value.Messages, h.Value.Bytes)).DefaultIfEmpty().Max();
        return TimeSpan.FromSeconds(Math.Min(TimeSpan.FromDays(3650).TotalSeconds, Math.Max(paced, Math.Max(longest, sum / parallel))));
    }

    private static double At(TransferLimits limits, double messages, double bytes) => Math.Max(
        limits.MessagesPerSecond is { } m ? messages / m : 0,
        Math.Max(limits.BytesPerSecond is { } b ? bytes / b : 0, limits.BytesPerDay is { } day ? bytes / day * 86_400 : 0));
}
