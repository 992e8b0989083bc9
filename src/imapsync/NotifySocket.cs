using System.Globalization;
using System.Net.Sockets;
using Imapsync.CommandLine.Output;

namespace Imapsync.CommandLine;

/// <summary>
/// Tells the service manager that started the process how it stands, as sd_notify(3) does: a datagram to the socket that NOTIFY_SOCKET names.
/// Nothing where there is none. What can't be told is said once, and changes nothing.
/// </summary>
internal sealed class NotifySocket : IDisposable
{
    private readonly Socket? socket;
    private readonly UnixDomainSocketEndPoint? address;
    private readonly ITimer? watchdog;
    private readonly TextWriter error;
    private bool hasFailed;

    /// <param name="environment">With NOTIFY_SOCKET, and WATCHDOG_USEC and WATCHDOG_PID where the process is watched.</param>
    public NotifySocket(IReadOnlyDictionary<string, string> environment, TimeProvider time, TextWriter error)
    {
        this.error = error;
        // A name that begins with @ is in the abstract name space, where it begins with NUL.
        if (environment.GetValueOrDefault("NOTIFY_SOCKET") is not { Length: > 1 } name || name[0] is not ('/' or '@'))
            return;
        try
        {
            // A name has an upper limit of about 100 octets, and a system may have no such sockets.
            address = new UnixDomainSocketEndPoint(name[0] == '@' ? "\0" + name[1..] : name);
            // A manager that is stuck must not hold up the mail.
            socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
        }
        catch (Exception e) when (e is ArgumentException or SocketException or PlatformNotSupportedException)
        {
            Say(e);
            return;
        }

        if (Period(environment) is { } period)
            watchdog = time.CreateTimer(_ => Tell("WATCHDOG=1"), null, period, period);
    }

    public void Ready(string status) => Tell($"READY=1\nSTATUS={status}");

    public void Stopping() => Tell("STOPPING=1");

    public void Dispose()
    {
        watchdog?.Dispose();
        socket?.Dispose();
    }

    /// <summary>Half of the time after which the manager takes the process for dead; null where it does not watch this one.</summary>
    private static TimeSpan? Period(IReadOnlyDictionary<string, string> environment)
    {
        if (environment.GetValueOrDefault("WATCHDOG_PID") is { Length: > 0 } pid && pid != Environment.ProcessId.ToString(CultureInfo.InvariantCulture))
            return null;
        return long.TryParse(environment.GetValueOrDefault("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds) && microseconds is > 0 and < 1L << 50
            ? TimeSpan.FromMilliseconds(Math.Max(1, microseconds / 2000))
            : null;
    }

    private void Tell(string state)
    {
        if (socket is null)
            return;
        try
        {
            socket.SendTo(System.Text.Encoding.UTF8.GetBytes(state), address!);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Say(e);
        }
    }

    private void Say(Exception e)
    {
        if (!hasFailed)
            error.WriteLine(TerminalText.Escape($"NOTIFY_SOCKET: {e.Message}"));
        hasFailed = true;
    }
}
