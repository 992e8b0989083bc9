namespace Imapsync.Serving.Finding;

/// <summary>
/// A Bloom filter of the three-letter sequences in a message's texts (two letters for scripts such as Chinese, where one letter may be a
/// word). If the filter lacks a sequence of a word, the texts do not contain that word. The filter has four bits for each sequence, and
/// each sequence sets one bit. So about one text in a thousand wrongly seems to contain a given word of seven letters (five sequences).
/// </summary>
internal static class WordFilter
{
    private const int BitsEach = 4;
    private const int MaxBytes = 128 * 1024;

    private enum Zone
    {
        From,
        To,
        Subject,
        Rest,
    }

    public static byte[] Of(MessageTexts texts)
    {
        var grams = new HashSet<uint>();
        foreach (var (zone, text) in ((Zone, string)[])[(Zone.From, texts.From), (Zone.To, texts.To), (Zone.Subject, texts.Subject), (Zone.Rest, texts.Rest)])
            AddGrams(text, zone, grams);
        var filter = new byte[Math.Clamp(grams.Count * BitsEach / 8, 8, MaxBytes)];
        foreach (var gram in grams)
        {
            var bit = BitOf(gram, filter.Length);
            filter[bit >> 3] |= (byte)(1 << (bit & 7));
        }

        return filter;
    }

    /// <summary>
    /// Adds the text's sequences of letters, in one case because a search ignores case. Sequences with white space are left out, because a
    /// search ignores where lines are broken. Sequences with a surrogate are left out, because half a character can't be folded.
    /// </summary>
    private static void AddGrams(string text, Zone zone, HashSet<uint> grams)
    {
        char before = '\0', last = '\0';
        foreach (var letter in text)
        {
            if (char.IsWhiteSpace(letter) || char.IsSurrogate(letter) || letter == '\0')
            {
                (before, last) = ('\0', '\0');
                continue;
            }

            var now = Fold(letter);
            if (before != '\0')
                grams.Add(Hash(zone, before, last, now));
            if (last != '\0' && IsWord(last) && IsWord(now))
                grams.Add(Hash(zone, '\0', last, now));
            (before, last) = (last, now);
        }
    }

    /// <summary>Maps letters that differ only in case to the same letter.</summary>
    internal static char Fold(char letter) => char.ToUpperInvariant(letter);

    /// <summary>Whether a letter is Chinese, Japanese or Korean, where a single letter may be a word.</summary>
    private static bool IsWord(char letter) => letter >= '\u2E80';

    private static uint Hash(Zone zone, char a, char b, char c)
    {
        // This mixing (the last steps of SplitMix64) is part of the file format, so it must not change.
        var mixed = ((ulong)zone << 48) | ((ulong)a << 32) | ((ulong)b << 16) | c;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return (uint)((mixed ^ (mixed >> 31)) >> 32);
    }

    private static int BitOf(uint gram, int filterBytes) => (int)(((ulong)gram * ((ulong)filterBytes * 8)) >> 32);

    /// <summary>A query prepared to be checked against many filters.</summary>
    internal sealed class Question
    {
        private readonly bool wantsAttachment;

        /// <summary>
        /// One entry for each condition, with one or several lists of letter sequences. A message may fulfil the condition if its filter
        /// has all sequences of at least one list.
        /// </summary>
        private readonly List<uint[][]> conditions = [];

        public Question(FindQuery query)
        {
            wantsAttachment = query.HasAttachment;
            Require(query.From, Zone.From);
            Require(query.To, Zone.To);
            Require(query.Subject, Zone.Subject);
            Require(query.Body, Zone.Rest);
            foreach (var word in query.Words)
                Require(word, Zone.Subject, Zone.From, Zone.To, Zone.Rest);
        }

        /// <summary>
        /// Whether the message with this filter may match. False means that <see cref="BackupFinder"/> need not read the message.
        /// </summary>
        public bool MayFit(ReadOnlySpan<byte> filter, bool hasAttachment)
        {
            if (wantsAttachment && !hasAttachment)
                return false;
            foreach (var ways in conditions)
            {
                var fits = false;
                foreach (var grams in ways)
                    fits = fits || HasAll(filter, grams);
                if (!fits)
                    return false;
            }

            return true;
        }

        private static bool HasAll(ReadOnlySpan<byte> filter, uint[] grams)
        {
            foreach (var gram in grams)
            {
                var bit = BitOf(gram, filter.Length);
                if ((filter[bit >> 3] & (1 << (bit & 7))) == 0)
                    return false;
            }

            return true;
        }

        private void Require(string? text, params ReadOnlySpan<Zone> zones)
        {
            if (text is null)
                return;
            var ways = new List<uint[]>();
            foreach (var zone in zones)
            {
                var grams = new HashSet<uint>();
                AddGrams(text, zone, grams);
                ways.Add([.. grams]);
            }

            conditions.Add([.. ways]);
        }
    }
}
