using System.Buffers;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using MimeKit;
using SmtpServer;
using SmtpServer.Authentication;
using SmtpServer.ComponentModel;
using SmtpServer.Protocol;
using SmtpServer.Storage;

namespace Imapsync.Tests.Support;

/// <summary>A private SMTP server, with TLS and AUTH, that stores the messages it receives.</summary>
public sealed class MailReceiver : IAsyncDisposable
{
    public const string User = "backup", Password = "smtp-secret-7f3a";

    private readonly CancellationTokenSource end = new();
    private readonly X509Certificate2? certificate;
    private readonly KeptMail kept = new();
    private readonly Task listening;

    private MailReceiver(TestAuthority? authority, bool isImplicit)
    {
        certificate = authority is null ? null : HttpReceiver.Load(authority);
        Port = LoopbackPorts.Free();
        var options = new SmtpServerOptionsBuilder().ServerName("localhost").Endpoint(endpoint =>
        {
            endpoint.Endpoint(new IPEndPoint(IPAddress.Loopback, Port)).IsSecure(isImplicit);
            if (certificate is not null)
                endpoint.Certificate(certificate).AuthenticationRequired();
        }).Build();
        var provider = new ServiceProvider();
        provider.Add(kept);
        provider.Add(new DelegatingUserAuthenticator((user, password) => user == User && password == Password));
        listening = new SmtpServer.SmtpServer(options, provider).StartAsync(end.Token);
    }

    public int Port { get; }

    public IReadOnlyList<MimeMessage> Messages => kept.All;

    /// <param name="authority">The authority whose server certificate is used; null for a server without TLS and log-in.</param>
    /// <param name="isImplicit">Whether to use TLS from the first octet instead of STARTTLS.</param>
    public static MailReceiver Start(TestAuthority? authority, bool isImplicit = false) => new(authority, isImplicit);

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        await listening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        end.Dispose();
        certificate?.Dispose();
    }

    private sealed class KeptMail : MessageStore
    {
        private readonly List<MimeMessage> messages = [];

        public IReadOnlyList<MimeMessage> All
        {
            get
            {
                lock (messages)
                    return [.. messages];
            }
        }

        public override Task<SmtpResponse> SaveAsync(ISessionContext context, IMessageTransaction transaction, ReadOnlySequence<byte> buffer, CancellationToken cancellationToken)
        {
            using var octets = new MemoryStream(buffer.ToArray());
            lock (messages)
                messages.Add(MimeMessage.Load(octets, cancellationToken));
            return Task.FromResult(SmtpResponse.Ok);
        }
    }
}
