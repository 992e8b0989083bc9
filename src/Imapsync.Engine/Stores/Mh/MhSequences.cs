using System.Globalization;
using System.Text;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mh;

/// <summary><c>.mh_sequences</c>: lines of a name, a colon, and numbers and ranges. What is in no sequence <c>unseen</c> was read.</summary>
internal static class MhSequences
{
    public const string FileName = ".mh_sequences";
    private const int MaxBytes = 16 << 20;

    /// <summary>No folder has more; a damaged file may say so.</summary>
    private const uint MaxRange = 1_000_000;

    /// <summary>Null where the file is longer than such a file is.</summary>
    public static Func<uint, FlagSet>? Read(Stream file)
    {
        if (file.Length > MaxBytes)
            return null;
        using var reader = new StreamReader(file, Encoding.UTF8);
        var sequences = new List<(string Name, UidSet Numbers)>();
        while (reader.ReadLine() is { } line)
        {
            // A long line goes on in one that begins with a blank.
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0 && line is not [' ' or '\t', ..])
                sequences.Add((line[..colon].Trim(), new UidSet()));
            if (sequences.Count > 0)
                AddAll(sequences[^1].Numbers, line.AsSpan(line is [' ' or '\t', ..] ? 0 : colon + 1));
        }

        return number => FlagsOf(sequences, number);
    }

    private static FlagSet FlagsOf(List<(string Name, UidSet Numbers)> sequences, uint number)
    {
        var flags = MessageFlags.Seen;
        var keywords = new List<string>();
        foreach (var (name, numbers) in sequences)
        {
            if (number == 0 || !numbers.Contains(new Uid(number)))
                continue;
            switch (name.ToLowerInvariant())
            {
                case "unseen":
                    flags &= ~MessageFlags.Seen;
                    break;
                case "flagged":
                    flags |= MessageFlags.Flagged;
                    break;
                case "replied" or "answered":
                    flags |= MessageFlags.Answered;
                    break;
                case "forwarded":
                    keywords.Add("$Forwarded");
                    break;
                // Where the reader stands, and what it looked for last.
                case "cur" or "previous-sequence" or "pseq":
                    break;
                default:
                    if (name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
                        keywords.Add(name);
                    break;
            }
        }

        return FlagSet.Create(flags, keywords);
    }

    private static void AddAll(UidSet numbers, ReadOnlySpan<char> text)
    {
        foreach (var range in text.SplitAny(" \t"))
        {
            var word = text[range];
            var dash = word.IndexOf('-');
            if (!TryNumber(dash < 0 ? word : word[..dash], out var first) || !TryNumber(dash < 0 ? word : word[(dash + 1)..], out var last) || last < first)
                continue;
            for (var number = first; number <= last && number - first < MaxRange; number++)
                numbers.Add(new Uid(number));
        }
    }

    private static bool TryNumber(ReadOnlySpan<char> word, out uint number) => uint.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0;
}
