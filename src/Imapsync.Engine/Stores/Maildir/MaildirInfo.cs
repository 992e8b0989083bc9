using System.Collections.Immutable;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>
/// The info part of a message's name: <c>:2,</c> and letters in ASCII order. D draft, F flagged, P passed (<c>$Forwarded</c>), R replied, S
/// seen, T trashed. The letters a–z stand for the keywords of <c>dovecot-keywords</c>. Other letters, and text after a further comma,
/// belong to other programs and are kept.
/// </summary>
internal static class MaildirInfo
{
    public const string Forwarded = "$Forwarded";

    private static readonly (char Letter, MessageFlags Flag)[] Letters =
    [
        ('D', MessageFlags.Draft), ('F', MessageFlags.Flagged), ('R', MessageFlags.Answered), ('S', MessageFlags.Seen), ('T', MessageFlags.Deleted),
    ];

    /// <param name="info">Including its separator; may be empty.</param>
    public static FlagSet Flags(ReadOnlySpan<char> info, ImmutableArray<string?> slots)
    {
        var (letters, _) = Split(info);
        var system = MessageFlags.None;
        List<string>? keywords = null;
        foreach (var letter in letters)
        {
            if (letter == 'P')
                (keywords ??= []).Add(Forwarded);
            else if (letter is >= 'a' and <= 'z' && letter - 'a' < slots.Length && slots[letter - 'a'] is { } keyword)
                (keywords ??= []).Add(keyword);
            else
                system |= Array.Find(Letters, l => l.Letter == letter).Flag;
        }

        return FlagSet.Create(system, keywords);
    }

    /// <summary>Composes the info part for these flags, and keeps other programs' parts of <paramref name="old"/>.</summary>
    /// <param name="separator">As <see cref="NameLimits.InfoSeparator"/>.</param>
    public static string Compose(ReadOnlySpan<char> old, FlagSet flags, ImmutableArray<string?> slots, char separator = ':')
    {
        var (oldLetters, foreign) = Split(old);
        var letters = new SortedSet<char>();
        foreach (var letter in oldLetters)
        {
            if (!MeansSomething(letter, slots))
                letters.Add(letter);
        }

        foreach (var (letter, flag) in Letters)
        {
            if (flags.System.HasFlag(flag))
                letters.Add(letter);
        }

        foreach (var keyword in flags.Keywords)
        {
            if (keyword.Equals(Forwarded, StringComparison.OrdinalIgnoreCase))
                letters.Add('P');
            var slot = MaildirKeywords.SlotOf(slots, keyword);
            if (slot >= 0)
                letters.Add((char)('a' + slot));
        }

        return $"{separator}2,{string.Concat(letters)}{foreign}";
    }

    private static bool MeansSomething(char letter, ImmutableArray<string?> slots) =>
        letter == 'P' || Array.Exists(Letters, l => l.Letter == letter)
        || (letter is >= 'a' and <= 'z' && letter - 'a' < slots.Length && slots[letter - 'a'] is not null);

    /// <summary>
    /// Splits an info part into the flag letters and the text after the next comma, which belongs to other programs. Experimental info
    /// (<c>:1,</c>) has no flag letters, so all of it belongs to other programs.
    /// </summary>
    private static (string Letters, string Foreign) Split(ReadOnlySpan<char> info)
    {
        if (info.Length < 3 || info[1] != '2')
            return ("", "");
        var letters = info[3..];
        var comma = letters.IndexOf(',');
        return comma < 0 ? (letters.ToString(), "") : (letters[..comma].ToString(), letters[comma..].ToString());
    }
}
