using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>
/// The keywords that the letters a–z stand for in one folder, from Dovecot's <c>dovecot-keywords</c> with lines such as <c>0 $Label1</c>. A
/// slot (the number of a letter, 0 for a) keeps its keyword for good. New keywords are added while <c>dovecot-keywords.lock</c> is held.
/// </summary>
internal sealed class MaildirKeywords(string directory, TimeProvider time)
{
    public const int MaxKeywords = 26;
    private const long MaxFileBytes = 1 << 20;
    private readonly string path = Path.Combine(directory, "dovecot-keywords");
    private (DateTime Written, long Length) stamp;

    /// <summary>Keywords by slot; null where a slot is empty.</summary>
    public ImmutableArray<string?> Slots { get; private set; } = [];

    /// <returns>The keyword's slot, or -1. Keywords are compared without regard to case (RFC 9051 §2.3.2).</returns>
    public static int SlotOf(ImmutableArray<string?> slots, string keyword)
    {
        for (var i = 0; i < slots.Length; i++)
        {
            if (string.Equals(slots[i], keyword, StringComparison.OrdinalIgnoreCase))
                return i;
        }

        return -1;
    }

    /// <summary>Reads the file again if it changed; returns whether it did.</summary>
    public bool Refresh()
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.Length > MaxFileBytes)
            return false;
        if (stamp == (file.LastWriteTimeUtc, file.Length))
            return false;
        stamp = (file.LastWriteTimeUtc, file.Length);
        var slots = new string?[MaxKeywords];
        foreach (var line in OrdinaryFile.ReadText(path).Split('\n').Select(l => l.TrimEnd('\r')))
        {
            var blank = line.IndexOf(' ', StringComparison.Ordinal);
            if (blank > 0 && blank < line.Length - 1
                && int.TryParse(line.AsSpan(0, blank), NumberStyles.None, CultureInfo.InvariantCulture, out var slot) && slot < MaxKeywords)
                slots[slot] ??= line[(blank + 1)..];
        }

        Slots = [.. slots];
        return true;
    }

    /// <summary>Assigns a slot to each keyword of these flags, as long as slots are free.</summary>
    /// <returns>The keywords that got no slot, because none was free or the file can't be written.</returns>
    public async ValueTask<IReadOnlyList<string>> AddAsync(FlagSet flags, CancellationToken cancellationToken)
    {
        if (flags.Keywords.IsEmpty || flags.Keywords.All(k => SlotOf(Slots, k) >= 0))
            return [];
        if (!IsFull)
        {
            await using var held = await DotLock.AcquireAsync(path, time, cancellationToken);
            Refresh();
            AddHeld(flags);
        }

        // $Forwarded needs no slot, since it has the letter P.
        return [.. flags.Keywords.Where(k => SlotOf(Slots, k) < 0 && !k.Equals(MaildirInfo.Forwarded, StringComparison.OrdinalIgnoreCase))];
    }

    private bool IsFull => Slots.Length == MaxKeywords && Slots.All(s => s is not null);

    private void AddHeld(FlagSet flags)
    {
        var slots = Slots.Concat(Enumerable.Repeat<string?>(null, MaxKeywords - Slots.Length)).ToArray();
        foreach (var keyword in flags.Keywords.Where(k => SlotOf(Slots, k) < 0 && CanBeWritten(k)))
        {
            // New keywords go after the last slot in use: the letter of an empty slot may still be in old file names.
            var free = Array.FindLastIndex(slots, s => s is not null) + 1;
            if (free == MaxKeywords)
                free = Array.FindIndex(slots, s => s is null);
            if (free < 0)
                break;
            slots[free] = keyword;
        }

        var text = new StringBuilder();
        for (var i = 0; i < MaxKeywords; i++)
        {
            if (slots[i] is not null)
                text.Append(CultureInfo.InvariantCulture, $"{i} {slots[i]}\n");
        }

        LocalFiles.Replace(path, Encoding.UTF8.GetBytes(text.ToString()));
        Slots = [.. slots];
        var file = new FileInfo(path);
        stamp = (file.LastWriteTimeUtc, file.Length);
    }

    /// <summary>Whether a line of the file can hold the keyword.</summary>
    public static bool CanBeWritten(string keyword) => keyword.Length is > 0 and <= 1_000 && !keyword.AsSpan().ContainsAnyInRange('\0', ' ');
}
