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

/// <summary>Serves one store as a read-only IMAP account. It listens from construction on.</summary>
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

    /// <param name="store">The store to serve. It is only read, and not disposed.</param>
    /// <param name="where">The address to listen on; port 0 picks a free port.</param>
    /// <param name="certificate">For TLS from the first octet on. Null is allowed only on a loopback address.</param>
    /// <param name="note">Receives messages for the server's operator, from any task.</param>
    /// <exception cref="SocketException">The port is in use, or the address is not one of this machine's.</exception>
    public BackupServer(
        IMessageStore store, IPEndPoint where, LogInGuard guard, SslStreamCertificateContext? certificate, ServingLimits limits, TimeProvider time, Action<string> note)
    {
        if (certificate is null && !IPAddress.IsLoopback(where.Address))
            throw new ArgumentException("passwords and mail leave the machine under TLS only", nameof(certificate));
        // A store without UIDVALIDITY promises nothing about its UIDs, so each start of the server announces another UIDVALIDITY.
        var fallback = new UidValidity((uint)time.GetUtcNow().ToUnixTimeSeconds());
        context = new SessionContext(new ServedAccount(store), guard, fallback, limits, time, note);
        this.certificate = certificate;
        listener = new TcpListener(where);
        listener.Start(backlog: 128);
    }

    public IPEndPoint Address => (IPEndPoint)listener.LocalEndpoint;

    /// <summary>Accepts connections until cancelled, then notifies all sessions and waits for them to end.</summary>
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
            // The client has already disconnected, or the process has no free file descriptor at the moment, so try again shortly.
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
                // The client has already closed its connection, so it needs no answer.
            }
        }
    }

    /// <summary>Serves one connection. Never throws: a failure ends only this session.</summary>
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
            // The connection is lost, or the client does not speak TLS. The operator gets no note about that.
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
