using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>Assigns to the messages found in a file the UIDs that its index has for them.</summary>
internal static class MboxMatch
{
    /// <summary>
    /// Matches messages by all octets, in order. The remaining ones are matched by <see cref="MessageKey"/>, because a mail program may
    /// have added header fields. Messages without a match get new UIDs.
    /// </summary>
    /// <returns>The records in ascending order of UID; the next UID; how many UIDs are new.</returns>
    public static (List<MboxRecord> Records, Uid Next, int Made) Match(List<MboxRecord> found, MboxIndex? index)
    {
        var known = (index?.Records ?? []).OrderBy(r => r.Offset).ToList();
        var isTaken = new bool[known.Count];
        var matched = new MboxRecord?[found.Count];
        Pair(found, known, isTaken, matched, r => r.Digest);
        if (matched.Contains(null))
            Pair(found, known, isTaken, matched, r => r.Key == 0 ? null : r.Key);

        var next = index?.UidNext.Value ?? 1;
        var made = 0;
        for (var i = 0; i < found.Count; i++)
        {
            if (matched[i] is { } record)
            {
                var flags = found[i].Flags.Union(FlagFields.Unwritable(record.Flags));
                found[i] = found[i] with { Uid = record.Uid, Date = record.Date, Flags = flags };
            }
            else
            {
                made++;
                found[i] = found[i] with { Uid = new Uid(next++) };
            }
        }

        found.Sort((a, b) => a.Uid.CompareTo(b.Uid));
        return (found, new Uid(next), made);
    }

    private static void Pair(List<MboxRecord> found, List<MboxRecord> known, bool[] isTaken, MboxRecord?[] matched, Func<MboxRecord, UInt128?> keyOf)
    {
        var waiting = new Dictionary<UInt128, Queue<int>>();
        for (var i = 0; i < known.Count; i++)
        {
            if (isTaken[i] || keyOf(known[i]) is not { } key)
                continue;
            if (!waiting.TryGetValue(key, out var same))
                waiting.Add(key, same = new Queue<int>(1));
            same.Enqueue(i);
        }

        for (var i = 0; i < found.Count; i++)
        {
            if (matched[i] is not null || keyOf(found[i]) is not { } key || !waiting.TryGetValue(key, out var same) || !same.TryDequeue(out var at))
                continue;
            isTaken[at] = true;
            matched[i] = known[at];
        }
    }
}
