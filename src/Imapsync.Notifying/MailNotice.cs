using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using MimeKit.Utils;
using AuthenticationException = System.Security.Authentication.AuthenticationException;

namespace Imapsync.Notifying;

/// <summary>Sends the news as a mail. Nothing is sent before TLS is established, unless the job file permits clear text for this notice.</summary>
internal static class MailNotice
{
    public static async Task SendAsync(Notice notice, MailMeans mail, News news, TimeProvider time, CancellationToken cancellationToken)
    {
        using var message = Compose(mail, news, time);
        using var client = new SmtpClient
        {
            CheckCertificateRevocation = false,
            SslProtocols = System.Security.Authentication.SslProtocols.Tls12 | System.Security.Authentication.SslProtocols.Tls13,
            ServerCertificateValidationCallback = TrustedAuthorities.Check(TrustedAuthorities.Policy(notice.TlsCaFile)),
            Timeout = (int)notice.Timeout.TotalMilliseconds,
        };
        var isIn = false;
        try
        {
            var security = mail.Tls switch { TlsMode.Implicit => SecureSocketOptions.SslOnConnect, TlsMode.StartTls => SecureSocketOptions.StartTls, _ => SecureSocketOptions.None };
            await client.ConnectAsync(mail.Host, mail.Port, security, cancellationToken);
            if (mail is { User: { } user, Password: { } password })
                await client.AuthenticateAsync(user, (await password.ReadAsync(cancellationToken)).Reveal(), cancellationToken);
            isIn = true;
            await client.SendAsync(message, cancellationToken);
        }
        catch (SmtpCommandException e)
        {
            // This text does not contain the recipient's address, but the server's answer, which is appended, may contain it.
            throw new NoticeException($"{mail.Host} answered {(int)e.StatusCode}: {InOneLine(e.Message)}", (int)e.StatusCode is >= 400 and < 500, e);
        }
        catch (Exception e) when (e is SslHandshakeException or AuthenticationException)
        {
            throw new NoticeException($"no TLS with {mail.Host}: its certificate can't be trusted, or there is none", isTransient: false, e);
        }
        catch (MailKit.Security.AuthenticationException e)
        {
            throw new NoticeException($"{mail.Host} refuses the log-in of {mail.User}", isTransient: false, e);
        }
        catch (NotSupportedException e)
        {
            throw new NoticeException($"{mail.Host} offers no {(isIn ? "way to send this" : client.IsConnected ? "log-in that is known here" : "STARTTLS")}", isTransient: false, e);
        }
        catch (Exception e) when (e is ProtocolException or ServiceNotConnectedException)
        {
            throw new NoticeException($"{mail.Host} can't be understood or has hung up", isTransient: true, e);
        }

        try
        {
            await client.DisconnectAsync(quit: true, cancellationToken);
        }
        catch (Exception e) when (e is IOException or ProtocolException or OperationCanceledException)
        {
            // The server has already accepted the message, so a failure to disconnect does not matter.
        }
    }

    private static MimeMessage Compose(MailMeans mail, News news, TimeProvider time)
    {
        var message = new MimeMessage { Subject = news.Headline, Date = time.GetLocalNow() };
        var from = MailboxAddress.Parse(mail.From);
        message.From.Add(from);
        message.To.AddRange(mail.To.Select(MailboxAddress.Parse));
        // MimeKit's default Message-ID would reveal this machine's name to all recipients, so the sender's domain is used.
        message.MessageId = MimeUtils.GenerateMessageId(from.Domain);
        message.Headers.Add("Auto-Submitted", "auto-generated");
        message.Body = new TextPart("plain") { Text = news.Text };
        return message;
    }

    private static string InOneLine(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
