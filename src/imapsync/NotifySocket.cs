using System.Globalization;
using System.Net.Sockets;
using Imapsync.CommandLine.Output;

namespace Imapsync.CommandLine;

/// <summary>
/// Reports the state of the process to the service manager that started it, by datagrams to the socket in NOTIFY_SOCKET (sd_notify(3)).
/// Does nothing if that variable is not set. A failure is shown once and otherwise ignored.
/// </summary>
internal sealed class NotifySocket : IDisposable
{
    private readonly Socket? socket;
    private readonly UnixDomainSocketEndPoint? address;
    private readonly ITimer? watchdog;
    private readonly TextWriter error;
    private bool hasFailed;

    /// <param name="environment">Contains NOTIFY_SOCKET, and if the service manager watches the process also WATCHDOG_USEC and WATCHDOG_PID.</param>
    public NotifySocket(IReadOnlyDictionary<string, string> environment, TimeProvider time, TextWriter error)
    {
        this.error = error;
        // A leading @ denotes the abstract socket namespace of Linux. The real address has NUL in place of the @.
        if (environment.GetValueOrDefault("NOTIFY_SOCKET") is not { Length: > 1 } name || name[0] is not ('/' or '@'))
            return;
        try
        {
            // This throws if the name is longer than about 100 octets, or if the system has no Unix domain sockets.
            address = new UnixDomainSocketEndPoint(name[0] == '@' ? "\0" + name[1..] : name);
            // The socket does not block, so that a service manager that does not respond can't delay the copying.
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

    /// <summary>Half of the time after which the service manager considers the process dead; null if it does not watch this process.</summary>
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
