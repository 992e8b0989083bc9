using System.Net;
using System.Net.Sockets;

namespace Imapsync.Tests.Support.Gmail;

/// <summary>Serves a <see cref="GmailAccount"/> on a loopback port, in clear text, to any user, as imap.gmail.com would.</summary>
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

    /// <summary>Octets of messages that may still be read; then each session that asks ends with BYE.</summary>
    public long ReadBudget { get; set; } = long.MaxValue;

    /// <summary>Told each command before it is obeyed, under the account's lock.</summary>
    public Action<string> OnCommand { get; set; } = _ => { };

    /// <summary>Asked after each command was obeyed; true cuts the connection before the answer.</summary>
    public Func<string, bool> CutsAfter { get; set; } = _ => false;

    /// <summary>Labels that no program may set.</summary>
    public HashSet<string> RefusedLabels { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Every command of every session, without tags and literals.</summary>
    public IReadOnlyList<string> Commands
    {
        get
        {
            lock (Account)
                return [.. commands];
        }
    }

    /// <summary>Starts the log anew.</summary>
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

    /// <summary>Only under the account's lock.</summary>
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
                // The client went, or the test is over.
            }
        }
    }
}
