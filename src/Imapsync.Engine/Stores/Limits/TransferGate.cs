using System.Runtime.CompilerServices;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Stores.Limits;

/// <summary>The buckets of one account, shared by all its connections and by all jobs of a run that move mail to it, or from it.</summary>
internal sealed record TransferPace(TokenBucket? Messages, TokenBucket? Bytes)
{
    public static TransferPace Of(TransferLimits limits, TimeProvider time) => new(
        limits.MessagesPerSecond is { } messages ? new TokenBucket(messages, time) : null,
        limits.BytesPerSecond is { } bytes ? new TokenBucket(bytes, time) : null);
}

/// <summary>What every message passes on its way out of a source or into a target that has <see cref="TransferLimits"/>.</summary>
/// <param name="display">The store, for people.</param>
/// <param name="onLimit">See <see cref="StoreContext.OnLimit"/>.</param>
internal sealed class TransferGate(string display, TransferPace pace, DayBudget? budget, Action<string, string> onLimit) : IAsyncDisposable
{
    public bool IsExhausted => budget?.IsSpent == true;

    /// <exception cref="MailException">The day's budget is spent; the job was told to end.</exception>
    public void Require()
    {
        if (!IsExhausted)
            return;
        var text = $"{display}: the octets of 'bytes_per_day' are used up; a run after {budget!.AvailableAgainAt:yyyy-MM-dd HH:mm} UTC goes on";
        onLimit(Reasons.BytesPerDay, text);
        throw new MailException(FailureScope.Store, false, text) { Kind = FailureKind.Limit };
    }

    /// <summary>Waits for the message's turn, counts it, and gives it back with a body that keeps to the pace.</summary>
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

    /// <summary>Headers keep to the pace of octets and are no part of the day's budget, which is about messages.</summary>
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
