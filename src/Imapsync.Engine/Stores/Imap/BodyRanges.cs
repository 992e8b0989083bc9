using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>Messages whose bodies are requested with one command.</summary>
/// <param name="Messages">In ascending order of UID.</param>
/// <param name="IsRetry">Whether each of the messages was requested before and did not arrive intact.</param>
internal sealed record BodyRange(IReadOnlyList<MessageInfo> Messages, bool IsRetry = false)
{
    private const int MaxMessages = 50;
    private const long MaxBytes = 4 << 20;
    private const long UnknownSize = 32 << 10;

    /// <summary>Whether no other range is requested until this one has arrived.</summary>
    public bool IsAlone { get; init; }

    public UidSet Uids => new(Messages.Select(m => m.Uid));

    /// <summary>
    /// Splits a list of messages into ranges, each with a limited number of messages and octets. A few ranges in flight are then enough to
    /// keep the connection busy.
    /// </summary>
    /// <param name="goesAlone">True for a message that gets a range of its own.</param>
    public static IEnumerable<BodyRange> Cut(IEnumerable<MessageInfo> messages, Func<MessageInfo, bool> goesAlone)
    {
        var range = new List<MessageInfo>();
        long bytes = 0;
        foreach (var message in messages)
        {
            var isAlone = goesAlone(message);
            var size = message.Size >= 0 ? message.Size : UnknownSize;
            if (range.Count > 0 && (isAlone || range.Count == MaxMessages || bytes + size > MaxBytes))
            {
                yield return new BodyRange([.. range]);
                range.Clear();
                bytes = 0;
            }

            if (isAlone)
            {
                yield return new BodyRange([message]) { IsAlone = true };
                continue;
            }

            range.Add(message);
            bytes += size;
        }

        if (range.Count > 0)
            yield return new BodyRange(range);
    }

    /// <summary>Halves a range, to find the message that the server fails on.</summary>
    public static IEnumerable<BodyRange> Halve(IReadOnlyList<MessageInfo> messages)
    {
        var half = messages.Count / 2;
        yield return new BodyRange([.. messages.Take(half)]);
        yield return new BodyRange([.. messages.Skip(half)]);
    }
}
