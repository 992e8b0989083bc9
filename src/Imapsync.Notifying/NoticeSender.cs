using System.Net.Sockets;
using System.Security.Cryptography;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Notifying;

/// <summary>Tells one notice's receiver. A few tries, each bounded in time; what fails is said, never thrown.</summary>
public sealed class NoticeSender(TimeProvider time)
{
    /// <summary>Between tries. Whoever waits for the end of a run waits for these too.</summary>
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3)];

    /// <param name="giveUp">No more tries, and the one under way is dropped.</param>
    /// <returns>Null where it got through; else why not, without anything secret.</returns>
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
            // What does not heed its token is left behind.
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
            // Its words may repeat what it was given.
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
