using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Serving.Mailboxes;
using Imapsync.Serving.Sessions;
using Imapsync.Serving.Wire;

namespace Imapsync.Serving;

/// <summary>Serves one store as an IMAP account that can be read and not changed. It listens from the moment it is made.</summary>
public sealed class BackupServer : IAsyncDisposable
{
    private static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(20);
    private readonly TcpListener listener;
    private readonly SessionContext context;
    private readonly SslStreamCertificateContext? certificate;
    private readonly ConcurrentDictionary<long, Task> sessions = new();
    private long number;
    private int connections;
    private int strangers;

    /// <param name="store">Only read. It is not disposed.</param>
    /// <param name="where">Port 0 for any that is free.</param>
    /// <param name="certificate">With its key: TLS from the first octet on. Null only on a loopback address.</param>
    /// <param name="note">Told what the person who runs it may want to know. May be called from any task.</param>
    /// <exception cref="SocketException">The port is taken, or the address is none of this machine's.</exception>
    public BackupServer(
        IMessageStore store, IPEndPoint where, LogInGuard guard, SslStreamCertificateContext? certificate, ServingLimits limits, TimeProvider time, Action<string> note)
    {
        if (certificate is null && !IPAddress.IsLoopback(where.Address))
            throw new ArgumentException("passwords and mail leave the machine under TLS only", nameof(certificate));
        // UIDs that nothing promises hold for one start.
        var fallback = new UidValidity((uint)time.GetUtcNow().ToUnixTimeSeconds());
        context = new SessionContext(new ServedAccount(store), guard, fallback, limits, time, note);
        this.certificate = certificate;
        listener = new TcpListener(where);
        listener.Start(backlog: 128);
    }

    public IPEndPoint Address => (IPEndPoint)listener.LocalEndpoint;

    /// <summary>Until it is cancelled; then every session is told.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
                await AcceptAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        finally
        {
            listener.Stop();
            await Task.WhenAll(sessions.Values);
        }
    }

    public ValueTask DisposeAsync()
    {
        listener.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task AcceptAsync(CancellationToken cancellationToken)
    {
        Socket socket;
        try
        {
            socket = await listener.AcceptSocketAsync(cancellationToken);
        }
        catch (SocketException e) when (e.SocketErrorCode is not SocketError.OperationAborted)
        {
            // Whoever was to come is gone again, or there are no descriptors left for a moment.
            await Task.Delay(TimeSpan.FromMilliseconds(50), context.Time, cancellationToken);
            return;
        }

        if (Volatile.Read(ref connections) >= context.Limits.Connections || Volatile.Read(ref strangers) >= context.Limits.Strangers)
        {
            TurnAway(socket);
            return;
        }

        Interlocked.Increment(ref connections);
        Interlocked.Increment(ref strangers);
        var key = number++;
        var session = ServeAsync(socket, cancellationToken);
        sessions[key] = session;
        _ = session.ContinueWith(_ => sessions.TryRemove(key, out Task? _), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    private void TurnAway(Socket socket)
    {
        using (socket)
        {
            try
            {
                socket.Blocking = false;
                if (certificate is null)
                    socket.Send("* BYE [UNAVAILABLE] too many connections\r\n"u8);
            }
            catch (SocketException)
            {
                // It needs no answer then.
            }
        }
    }

    /// <summary>Never throws: whatever happens to a session ends that session.</summary>
    private async Task ServeAsync(Socket socket, CancellationToken cancellationToken)
    {
        await Task.Yield();
        var isStranger = true;
        var peer = "a client";
        void Known()
        {
            if (isStranger)
                Interlocked.Decrement(ref strangers);
            isStranger = false;
        }

        try
        {
            peer = $"{socket.RemoteEndPoint}";
            socket.NoDelay = true;
            await using var network = new NetworkStream(socket, ownsSocket: true);
            await using var stream = certificate is null ? (Stream)network : await EncryptAsync(network, cancellationToken);
            await using var session = new ImapSession(stream, context, peer, Known);
            await session.RunAsync(cancellationToken);
        }
        catch (LineLostException e)
        {
            if (e.InnerException is not (IOException or ObjectDisposedException))
                context.Note($"{peer}: {e.Message}");
        }
        catch (Exception e) when (e is IOException or SocketException or AuthenticationException or OperationCanceledException or ObjectDisposedException)
        {
            // The line is gone, or what came over it was no TLS.
        }
        catch (Exception e)
        {
            context.Note($"{peer}: this is a defect of imapsync, please report it: {e}");
        }
        finally
        {
            Known();
            Interlocked.Decrement(ref connections);
            socket.Dispose();
        }
    }

    private async Task<Stream> EncryptAsync(Stream network, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(HandshakeTime, context.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var stream = new SslStream(network);
        try
        {
            await stream.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions { ServerCertificateContext = certificate, EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 }, either.Token);
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }
}
