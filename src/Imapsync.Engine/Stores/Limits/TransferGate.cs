using System.Runtime.CompilerServices;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Stores.Limits;

/// <summary>
/// The rate limits of one account. All its connections share them, and so do all jobs of a run that move mail in the same direction.
/// </summary>
internal sealed record TransferPace(TokenBucket? Messages, TokenBucket? Bytes)
{
    public static TransferPace Of(TransferLimits limits, TimeProvider time) => new(
        limits.MessagesPerSecond is { } messages ? new TokenBucket(messages, time) : null,
        limits.BytesPerSecond is { } bytes ? new TokenBucket(bytes, time) : null);
}

/// <summary>Applies <see cref="TransferLimits"/> to every message read from a source or written to a target.</summary>
/// <param name="display">The store's name, for people.</param>
/// <param name="onLimit">See <see cref="StoreContext.OnLimit"/>.</param>
internal sealed class TransferGate(string display, TransferPace pace, DayBudget? budget, Action<string, string> onLimit) : IAsyncDisposable
{
    public bool IsExhausted => budget?.IsSpent == true;

    /// <exception cref="MailException">The day's budget is spent; the job was asked to stop.</exception>
    public void Require()
    {
        if (!IsExhausted)
            return;
        var text = $"{display}: the octets of 'bytes_per_day' are used up; a run after {budget!.AvailableAgainAt:yyyy-MM-dd HH:mm} UTC goes on";
        onLimit(Reasons.BytesPerDay, text);
        throw new MailException(FailureScope.Store, false, text) { Kind = FailureKind.Limit };
    }

    /// <summary>Waits until the rate permits the message, counts it, and returns it with a body that is limited to the rate.</summary>
    public async ValueTask<IncomingMessage> AdmitAsync(IncomingMessage message, CancellationToken cancellationToken)
    {
        if (message.Failure is not null)
            return message;
        if (pace.Messages is not null)
            await pace.Messages.TakeAsync(1, cancellationToken);
        if (budget is not null)
            await budget.SpendAsync(message.Length, cancellationToken);
        return pace.Bytes is null
            ? message
            : new IncomingMessage(message.Info, message.Length, new PacedReader(message.Body, pace.Bytes)) { Note = message.Note };
    }

    /// <summary>Limits headers to the octet rate. They don't count against the day's budget, which only counts messages.</summary>
    public async IAsyncEnumerable<MessageHeader> PaceAsync(
        IAsyncEnumerable<MessageHeader> headers, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var header in headers.WithCancellation(cancellationToken))
        {
            if (pace.Bytes is not null)
                await pace.Bytes.TakeAsync(header.Octets.Length, cancellationToken);
            yield return header;
        }
    }

    public ValueTask DisposeAsync() => budget?.DisposeAsync() ?? ValueTask.CompletedTask;
}
