using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace Imapsync.Tests.Support;

/// <summary>One connection of a <see cref="FaultProxy"/>. Passes octets on in both directions as its rules say.</summary>
internal sealed class ProxiedLine(
    FaultProxy proxy, ProxiedConnection connection, FaultRules rules, Socket client, Socket server, CancellationToken ending) : IDisposable
{
    // Linux constants (netinet/tcp.h); the first octet of TCP_INFO is the connection's state.
    private const int TcpLevel = 6;
    private const int TcpInfo = 11;
    private const byte Established = 1;
    private const byte FinWait1 = 4;
    private const byte FinWait2 = 5;

    private readonly CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(ending);
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TlsRecords serverRecords = new();
    private readonly TlsRecords clientRecords = new();
    private bool serverIsStalled;
    private bool clientIsStalled;

    /// <summary>Whether the client has closed the connection or a fault has ended it.</summary>
    public bool IsOver => over.IsCancellationRequested || HasClientHungUp();

    /// <summary>Completes when the server has read everything it will get over this connection and has closed it.</summary>
    public Task Done => done.Task;

    /// <summary>Serves the connection until both sides have closed it.</summary>
    public async Task ServeAsync()
    {
        try
        {
            using (client)
            {
                await Task.WhenAll(PumpAsync(fromServer: false), PumpAsync(fromServer: true));
                if (connection.WasCut && !rules.CutWithFin)
                    client.LingerState = new LingerOption(true, 0);
            }

            await over.CancelAsync();
            await DrainAsync();
        }
        finally
        {
            done.SetResult();
        }
    }

    public void Dispose() => over.Dispose();

    /// <summary>
    /// Whether the kernel says that the client has closed the connection. Octets that it sent before may still be unread.
    /// </summary>
    private bool HasClientHungUp()
    {
        try
        {
            Span<byte> state = stackalloc byte[1];
            return client.GetRawSocketOption(TcpLevel, TcpInfo, state) == 1 && state[0] is not (Established or FinWait1 or FinWait2);
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    /// <summary>Waits until the server has finished the commands it received, and discards its replies.</summary>
    private async Task DrainAsync()
    {
        using (server)
        {
            try
            {
                server.Shutdown(SocketShutdown.Send);
                var buffer = new byte[64 * 1024];
                while (await server.ReceiveAsync(buffer, ending) > 0)
                {
                }
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The server closed the connection first.
            }
        }
    }

    /// <summary>Reads octets as they arrive and passes them on when due, so that the delay does not reduce throughput.</summary>
    private async Task PumpAsync(bool fromServer)
    {
        var (from, to) = fromServer ? (server, client) : (client, server);
        var due = Channel.CreateBounded<(byte[] Octets, long At)>(1024);
        var writing = WriteAsync(due.Reader, to, fromServer);
        var buffer = new byte[Math.Min(rules.PieceBytes, 64 * 1024)];
        try
        {
            int count;
            while ((count = await from.ReceiveAsync(buffer, over.Token)) > 0)
            {
                var at = TimeProvider.System.GetTimestamp() + (long)(rules.Delay.TotalSeconds * TimeProvider.System.TimestampFrequency);
                await due.Writer.WriteAsync((buffer[..count], at), over.Token);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            await over.CancelAsync();
        }

        due.Writer.Complete();
        await writing;
    }

    private async Task WriteAsync(ChannelReader<(byte[] Octets, long At)> due, Socket to, bool fromServer)
    {
        try
        {
            await foreach (var (octets, at) in due.ReadAllAsync(over.Token))
            {
                var wait = TimeProvider.System.GetElapsedTime(TimeProvider.System.GetTimestamp(), at);
                if (wait > TimeSpan.Zero)
                    await Task.Delay(wait, TimeProvider.System, over.Token);
                await PassAsync(fromServer ? octets : await AnswerAsync(octets), to, fromServer);
            }

            to.Shutdown(SocketShutdown.Send);
            if (!fromServer)
                await over.CancelAsync();
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            await over.CancelAsync();
        }
    }

    /// <summary>Sends the answers that the rules give in place of the server.</summary>
    /// <returns>The octets to pass on to the server.</returns>
    private async Task<Memory<byte>> AnswerAsync(byte[] octets)
    {
        if (rules.AnswerInstead is not { } answerTo)
            return octets;
        var left = new List<byte>();
        for (var start = 0; start < octets.Length;)
        {
            var lineEnd = Array.IndexOf(octets, (byte)'\n', start) + 1;
            var end = lineEnd == 0 ? octets.Length : lineEnd;
            var text = Encoding.Latin1.GetString(octets, start, end - start).TrimEnd();
            if (text.IndexOf(' ', StringComparison.Ordinal) is > 0 and var blank && answerTo(connection, text[(blank + 1)..]) is { } answer)
                await client.SendAsync(Encoding.Latin1.GetBytes($"{text[..blank]} {answer}\r\n"), over.Token);
            else
                left.AddRange(octets[start..end]);
            start = end;
        }

        return left.ToArray();
    }

    private async Task PassAsync(Memory<byte> octets, Socket to, bool fromServer)
    {
        // Octets after a stall are discarded, but reading goes on, so that the end of the connection is still noticed.
        while (!octets.IsEmpty && !(fromServer ? serverIsStalled : clientIsStalled))
        {
            // Octets that were read before a cut must not be passed on after the cut.
            over.Token.ThrowIfCancellationRequested();
            // Don't wait if this connection's client is gone. Otherwise two such connections could wait for each other for ever.
            if (!fromServer && !IsOver)
                await proxy.OthersSettledAsync(this).WaitAsync(over.Token);
            var reply = fromServer && rules.CutBeforeAppendReply is not null ? connection.FindAppendReply(octets.Span) : null;
            if (reply is { Start: 0 } && rules.CutBeforeAppendReply!())
                await CutAsync(FaultKind.LostReply);
            var room = await StrikeAsync(fromServer);
            if (room == 0)
                return;
            if (reply is { } found)
                room = Math.Min(room, found.Start > 0 ? found.Start : found.End);
            var piece = octets[..(int)Math.Min(room, octets.Length)];
            Corrupt(piece.Span, fromServer);
            connection.Count(fromServer, piece.Span);
            await to.SendAsync(piece, over.Token);
            octets = octets[piece.Length..];
            proxy.Count(fromServer, piece.Length);
            if (rules.BytesPerSecond is { } rate)
                await Task.Delay(TimeSpan.FromSeconds((double)piece.Length / rate), TimeProvider.System, over.Token);
        }
    }

    /// <summary>Cuts or stalls the connection if the rules' octet count is reached.</summary>
    /// <returns>How many octets may pass before the next fault; 0 if no more may pass.</returns>
    private async Task<long> StrikeAsync(bool fromServer)
    {
        var (passed, cut, stall) = (connection.Passed(fromServer), rules.CutAfter(fromServer), rules.StallAfter(fromServer));
        if (passed >= cut && proxy.MayStrike(rules))
            await CutAsync(rules.CutWithFin ? FaultKind.Fin : FaultKind.Reset);
        if (passed >= stall && proxy.MayStrike(rules))
        {
            proxy.Note(FaultKind.Stall);
            serverIsStalled |= fromServer;
            clientIsStalled |= !fromServer;
            return 0;
        }

        var room = Math.Min(rules.PieceBytes, proxy.Room(fromServer));
        if (rules.BytesPerSecond is { } rate)
            room = Math.Min(room, Math.Max(1, rate / 50));
        foreach (var at in (ReadOnlySpan<long>)[cut, stall])
            room = passed < at ? Math.Min(room, at - passed) : room;
        return room;
    }

    private void Corrupt(Span<byte> piece, bool fromServer)
    {
        var after = rules.CorruptAfter(fromServer);
        if (after == long.MaxValue || connection.WasCorrupted)
            return;
        var at = (fromServer ? serverRecords : clientRecords).Advance(piece, Math.Max(0, after - connection.Passed(fromServer)));
        if (at < 0 || !proxy.MayStrike(rules))
            return;
        piece[at] ^= 0x20;
        connection.WasCorrupted = true;
        proxy.Note(FaultKind.Corruption);
    }

    /// <exception cref="OperationCanceledException">Always, because no more octets may pass.</exception>
    private async Task CutAsync(FaultKind kind)
    {
        connection.WasCut = true;
        proxy.Note(kind);
        await over.CancelAsync();
        over.Token.ThrowIfCancellationRequested();
    }
}
