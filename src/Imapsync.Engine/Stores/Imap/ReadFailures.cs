using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Over which messages of one folder connections ended while they were read. Such a message is asked for alone, and no more
/// when connections keep ending over it, else it would keep all others from being copied. Lasts as long as the store is open;
/// a folder may be read by several tasks, each with a connection of its own.
/// </summary>
internal sealed class ReadFailures(BodySizes sizes)
{
    private readonly Lock gate = new();
    private readonly Dictionary<(UidValidity Validity, Uid Uid), int> brokenAlone = [];
    private readonly Dictionary<(UidValidity Validity, Uid Uid), string> finalWords = [];

    public BodySizes Sizes => sizes;

    public bool IsSuspect(UidValidity validity, Uid uid)
    {
        lock (gate)
            return brokenAlone.ContainsKey((validity, uid));
    }

    /// <summary>A connection ended while nothing but this message was under way.</summary>
    public bool HasBrokenAlone(UidValidity validity, Uid uid)
    {
        lock (gate)
            return brokenAlone.GetValueOrDefault((validity, uid)) > 0;
    }

    /// <summary>Why a message is not asked for any more, else null.</summary>
    public string? FinalWords(UidValidity validity, Uid uid)
    {
        lock (gate)
            return finalWords.GetValueOrDefault((validity, uid));
    }

    public void Forgive(UidValidity validity, Uid uid)
    {
        lock (gate)
            brokenAlone.Remove((validity, uid));
    }

    /// <param name="underWay">What the server was at when the connection ended.</param>
    public void Suspect(UidValidity validity, IReadOnlyList<Uid> underWay, Exception reason)
    {
        // A length that is wrong is no accident of the line: the second time proves it.
        var weight = reason is ImapProtocolException { IsFramingLost: true } ? (ImapFailure.MaxBrokenAlone + 1) / 2 : 1;
        lock (gate)
        {
            foreach (var uid in underWay)
            {
                var times = brokenAlone.TryGetValue((validity, uid), out var before) && underWay.Count == 1 ? before + weight : before;
                brokenAlone[(validity, uid)] = times;
                if (times >= ImapFailure.MaxBrokenAlone)
                    finalWords[(validity, uid)] = $"the connection ended each time the message was read: {reason.Message}";
            }
        }
    }
}
