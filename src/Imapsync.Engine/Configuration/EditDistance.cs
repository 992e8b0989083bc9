namespace Imapsync.Engine.Configuration;

/// <summary>Finds the word that a user probably meant to write.</summary>
public static class EditDistance
{
    /// <summary>Returns the candidate with the smallest edit distance, ignoring case; null when none is close enough.</summary>
    public static string? Nearest(string word, IEnumerable<string> candidates)
    {
        if (word.Length > 64)
            return null;
        var (best, distance) = candidates
            .Select(c => (Candidate: c, Distance: Between(Fold(word), Fold(c))))
            .OrderBy(c => c.Distance)
            .FirstOrDefault();
        return best is not null && distance <= Math.Max(1, Math.Max(word.Length, best.Length) / 3) ? best : null;
    }

    /// <summary>
    /// Returns the least number of insertions, deletions, replacements and swaps of adjacent characters that turn one word into the other.
    /// </summary>
    public static int Between(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            rows[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            rows[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var replace = rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                var best = Math.Min(replace, Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    best = Math.Min(best, rows[i - 2, j - 2] + 1);
                rows[i, j] = best;
            }
        }

        return rows[a.Length, b.Length];
    }

    private static string Fold(string word) => word.ToLowerInvariant().Replace('-', '_');
}
