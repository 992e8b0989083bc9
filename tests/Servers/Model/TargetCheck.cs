using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Model;

/// <summary>The differences between a target and the model.</summary>
internal sealed record TargetVerdict(int Lost, int Doubled, int Changed, IReadOnlyList<string> Lines)
{
    public bool IsGood => Lines.Count == 0;
}

/// <summary>Compares a target with the model. Pairs each expected message with one at the target and reports those left over.</summary>
internal static class TargetCheck
{
    public static TargetVerdict Compare(ModelMailbox model, MailboxSnapshot actual)
    {
        var lines = new List<string>();
        var (lost, doubled, changed) = (0, 0, 0);
        var there = actual.Folders.SelectMany(f => f.Value.Messages.Select(m => (Folder: f.Key, Message: m))).ToLookup(m => m.Message.Digest);
        var expected = model.Expected.Where(m => m.Presence != Presence.Not).ToLookup(m => m.Digest);
        foreach (var digest in there.Select(g => g.Key).Union(expected.Select(g => g.Key)))
        {
            var (found, all) = (there[digest].ToList(), expected[digest].ToList());
            var must = all.Where(m => m.Presence == Presence.Must).ToList();
            var missing = Unmatched(must, found, (m, f) => m.Fits(f.Folder, f.Message));
            var extra = Unmatched(found, all, (f, m) => m.Fits(f.Folder, f.Message));
            var (short_, over) = (Math.Max(0, must.Count - found.Count), Math.Max(0, found.Count - all.Count));
            lost += short_;
            doubled += over;
            changed += Math.Max(missing.Count - short_, extra.Count - over);
            lines.AddRange(missing.Select(m => $"expected {m}"));
            lines.AddRange(extra.Select(f => $"not expected {f.Message} in {f.Folder}"));
        }

        lines.AddRange(model.Folders.Keys.Except(actual.Folders.Keys).Select(f => $"folder {f} is missing"));
        lines.AddRange(actual.Folders.Keys.Where(f => !model.IsKnownFolder(f)).Select(f => $"folder {f} is not expected"));
        return new TargetVerdict(lost, doubled, changed, lines);
    }

    /// <summary>Returns the elements without a partner in a maximum bipartite matching (Kuhn's algorithm).</summary>
    private static List<TOne> Unmatched<TOne, TOther>(List<TOne> ones, List<TOther> others, Func<TOne, TOther, bool> fits)
    {
        var partner = new int[others.Count];
        Array.Fill(partner, -1);
        bool Find(int one, bool[] tried)
        {
            for (var i = 0; i < others.Count; i++)
            {
                if (tried[i] || !fits(ones[one], others[i]))
                    continue;
                tried[i] = true;
                if (partner[i] >= 0 && !Find(partner[i], tried))
                    continue;
                partner[i] = one;
                return true;
            }

            return false;
        }

        return [.. Enumerable.Range(0, ones.Count).Where(i => !Find(i, new bool[others.Count])).Select(i => ones[i])];
    }
}
