using System.Net.Sockets;
using System.Security.Cryptography;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Notifying;

/// <summary>Sends one notification, with a few tries that are each limited in time. A failure is returned, never thrown.</summary>
public sealed class NoticeSender(TimeProvider time)
{
    /// <summary>The waits between tries. They are short because the end of the run waits for them.</summary>
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3)];

    /// <param name="giveUp">Cancels the current try and all further ones.</param>
    /// <returns>Null if the notification was delivered; else the reason why not, without secrets.</returns>
    public async Task<string?> SendAsync(Notice notice, News news, CancellationToken giveUp)
    {
        for (var tries = 0; ; tries++)
        {
            var (why, isTransient) = await TryAsync(notice, news, giveUp);
            if (why is null)
                return null;
            if (!isTransient || tries == Pauses.Length || giveUp.IsCancellationRequested)
                return $"{Name(notice)} at {notice.Origin}: {why}{(tries > 0 ? $" (tried {tries + 1} times)" : "")}";
            await Task.Delay(Pauses[tries], time, giveUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<(string? Why, bool IsTransient)> TryAsync(Notice notice, News news, CancellationToken giveUp)
    {
        using var deadline = new CancellationTokenSource(notice.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, giveUp);
        try
        {
            // Stop waiting at the deadline even if the operation ignores its cancellation token.
            await SendOnceAsync(notice, news, either.Token).WaitAsync(either.Token);
            return (null, false);
        }
        catch (OperationCanceledException)
        {
            return giveUp.IsCancellationRequested ? ("given up, since the run was to end", false) : ($"no end within {notice.Timeout.TotalSeconds:0.#} s", true);
        }
        catch (NoticeException e)
        {
            return (e.Message, e.IsTransient);
        }
        catch (MailException e)
        {
            return (e.Message, false);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException or CryptographicException)
        {
            return (e.Message, e is SocketException or IOException);
        }
        catch (Exception e)
        {
            // The exception's message may repeat a secret that was passed in, so only its type is returned.
            return (e.GetType().Name, false);
        }
    }

    private Task SendOnceAsync(Notice notice, News news, CancellationToken cancellationToken) => notice.Means switch
    {
        PingMeans ping => HttpNotice.PingAsync(notice, ping, news, cancellationToken),
        WebhookMeans hook => HttpNotice.PostAsync(notice, hook, news, cancellationToken),
        CommandMeans command => CommandNotice.RunAsync(command, news, time, cancellationToken),
        MailMeans mail => MailNotice.SendAsync(notice, mail, news, time, cancellationToken),
        _ => throw new ArgumentException($"no way to tell {notice.Means.GetType().Name}", nameof(notice)),
    };

    private static string Name(Notice notice) => notice.Means switch
    {
        PingMeans => "the ping",
        WebhookMeans => "the webhook",
        CommandMeans => "the command",
        _ => "the mail",
    };
}
