using System.Text;

namespace Imapsync.Tests.Support;

/// <summary>The properties of a message that must be preserved. Compared by value.</summary>
/// <param name="Digest">The SHA-256, in hex, of the octets as IMAP shows them.</param>
/// <param name="Flags">System flags and keywords, sorted and separated by blanks, without \Recent.</param>
public sealed record SnapshotMessage(string Digest, long Length, string Flags, DateTimeOffset InternalDate)
{
    public static string Canonical(IEnumerable<string> flags) =>
        string.Join(' ', flags.Where(f => f.Length > 0 && !f.Equals("\\Recent", StringComparison.OrdinalIgnoreCase)).Distinct().Order(StringComparer.Ordinal));

    public override string ToString() => $"{Digest[..12]}… {Length} octets ({Flags}) {InternalDate.UtcDateTime:yyyy-MM-dd HH:mm:ss}";
}

public sealed record SnapshotFolder(bool Subscribed, IReadOnlyList<SnapshotMessage> Messages);

/// <summary>A whole mailbox, for comparison with another: for each folder an unordered multiset of messages.</summary>
public sealed class MailboxSnapshot
{
    private const int MostLines = 40;

    private readonly SortedDictionary<string, SnapshotFolder> folders = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, SnapshotFolder> Folders => folders;

    public int MessageCount => folders.Values.Sum(f => f.Messages.Count);

    public void Add(string folder, bool subscribed, IEnumerable<SnapshotMessage> messages) =>
        folders.Add(folder, new SnapshotFolder(subscribed, [.. messages]));

    /// <summary>Returns a copy in which no folder is subscribed.</summary>
    public MailboxSnapshot WithoutSubscriptions() => Select((_, f) => f with { Subscribed = false });

    public MailboxSnapshot Without(params string[] names) => Select((name, f) => names.Contains(name) ? null : f);

    public MailboxSnapshot Select(Func<string, SnapshotFolder, SnapshotFolder?> selector)
    {
        var result = new MailboxSnapshot();
        foreach (var (name, folder) in folders)
        {
            if (selector(name, folder) is { } kept)
                result.folders.Add(name, kept);
        }

        return result;
    }

    /// <summary>Lists the differences from the expected mailbox, one per line; empty if the two are equal.</summary>
    public string DifferenceFrom(MailboxSnapshot expected)
    {
        var lines = new List<string>();
        foreach (var name in expected.folders.Keys.Except(folders.Keys))
            lines.Add($"{name}: missing, with {expected.folders[name].Messages.Count} messages");
        foreach (var name in folders.Keys.Except(expected.folders.Keys))
            lines.Add($"{name}: unexpected, with {folders[name].Messages.Count} messages");
        foreach (var (name, folder) in folders)
        {
            if (expected.folders.TryGetValue(name, out var other))
                Compare(name, other, folder, lines);
        }

        var text = new StringBuilder().AppendJoin('\n', lines.Take(MostLines));
        return lines.Count <= MostLines ? text.ToString() : text.Append($"\n… {lines.Count} differences in all").ToString();
    }

    private static void Compare(string name, SnapshotFolder expected, SnapshotFolder actual, List<string> lines)
    {
        if (expected.Subscribed != actual.Subscribed)
            lines.Add($"{name}: {(actual.Subscribed ? "subscribed" : "not subscribed")}");
        var missing = Surplus(expected.Messages, actual.Messages);
        var extra = Surplus(actual.Messages, expected.Messages);
        foreach (var message in missing)
        {
            // A message with equal octets but other flags or date is reported as one difference, not as missing and additional.
            var counterpart = extra.FindIndex(m => m.Digest == message.Digest);
            if (counterpart < 0)
            {
                lines.Add($"{name}: missing {message}");
                continue;
            }

            lines.Add($"{name}: expected {message}\n{new string(' ', name.Length)}       but is {extra[counterpart]}");
            extra.RemoveAt(counterpart);
        }

        lines.AddRange(extra.Select(m => $"{name}: extra   {m}"));
    }

    /// <summary>Returns the elements of the first multiset that are not in the second.</summary>
    private static List<SnapshotMessage> Surplus(IEnumerable<SnapshotMessage> first, IEnumerable<SnapshotMessage> second)
    {
        var counts = second.CountBy(m => m).ToDictionary();
        return [.. first.Where(m => !Take(counts, m))];
    }

    private static bool Take(Dictionary<SnapshotMessage, int> counts, SnapshotMessage message)
    {
        if (counts.GetValueOrDefault(message) == 0)
            return false;
        counts[message]--;
        return true;
    }
}
