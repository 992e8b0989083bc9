using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Records the messages of one folder that were being read when a connection broke. Such a message is then requested alone. If the connection breaks
/// again each time, the message is given up, so that it does not keep the others from being copied. The record lasts as long as the store is open.
/// Several tasks may read the folder, each over a connection of its own.
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

    /// <summary>Returns whether a connection broke while only this message was being read.</summary>
    public bool HasBrokenAlone(UidValidity validity, Uid uid)
    {
        lock (gate)
            return brokenAlone.GetValueOrDefault((validity, uid)) > 0;
    }

    /// <summary>Returns the reason why a message is not requested any more; null as long as it may be requested.</summary>
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

    /// <param name="underWay">The messages that the server was sending or was about to send when the connection broke.</param>
    public void Suspect(UidValidity validity, IReadOnlyList<Uid> underWay, Exception reason)
    {
        // A wrong literal length is no accident of the network, so it counts twice as much as a broken connection: after the second one,
        // the message is given up.
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
