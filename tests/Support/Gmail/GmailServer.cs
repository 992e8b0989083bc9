using System.Net;
using System.Net.Sockets;

namespace Imapsync.Tests.Support.Gmail;

/// <summary>Serves a <see cref="GmailAccount"/> in clear text on a loopback port, as imap.gmail.com would. Any user may log in.</summary>
public sealed class GmailServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource ending = new();
    private readonly List<Task> sessions = [];
    private readonly List<string> commands = [];
    private readonly Task accepting;

    public GmailServer(GmailAccount account)
    {
        Account = account;
        listener.Start();
        accepting = AcceptAsync();
    }

    public GmailAccount Account { get; }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>The number of octets of messages that clients may still fetch. A session that fetches more ends with BYE.</summary>
    public long ReadBudget { get; set; } = long.MaxValue;

    /// <summary>Called with each command before it is executed, under the account's lock.</summary>
    public Action<string> OnCommand { get; set; } = _ => { };

    /// <summary>Called after each command was executed; returning true cuts the connection before the answer.</summary>
    public Func<string, bool> CutsAfter { get; set; } = _ => false;

    /// <summary>Labels that clients may not set.</summary>
    public HashSet<string> RefusedLabels { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>All commands of all sessions, without tags and literals.</summary>
    public IReadOnlyList<string> Commands
    {
        get
        {
            lock (Account)
                return [.. commands];
        }
    }

    /// <summary>Clears the log of commands.</summary>
    public void Forget()
    {
        lock (Account)
            commands.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        listener.Stop();
        await accepting;
        await Task.WhenAll(sessions);
        listener.Dispose();
        ending.Dispose();
    }

    /// <summary>Logs a command. Call it only under the account's lock.</summary>
    internal void Log(string command) => commands.Add(command);

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                var client = await listener.AcceptTcpClientAsync(ending.Token);
                sessions.Add(ServeAsync(client));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await new GmailSession(this, client.GetStream()).RunAsync(ending.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException)
            {
                // The client has disconnected, or the test has ended.
            }
        }
    }
}
