using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Durability;

namespace Imapsync.Engine.Checkpoints;

/// <summary>The names in a job's state directory. Folder names come from servers: none of them can point anywhere else.</summary>
internal sealed class StateDirectory(string root)
{
    /// <summary>How many damaged journals of a pair are kept to be looked at.</summary>
    private const int DamagedKept = 3;

    private const int ReadableLength = 60;

    private readonly string pairs = Path.Combine(root, "pairs");

    public string Root => root;

    public string LockFile => Path.Combine(root, "lock");

    public string SummaryFile => Path.Combine(root, "summary");

    public async Task CreateAsync(CancellationToken cancellationToken)
    {
        await DurableFiles.CreateDirectoryAsync(pairs, cancellationToken);
        DurableFiles.DemandNoLink(pairs);
    }

    /// <summary>Removes what a crash left half-written. Only for who holds the lock.</summary>
    public void RemoveLeftovers()
    {
        foreach (var directory in (string[])[root, pairs])
        {
            foreach (var leftover in Directory.EnumerateFiles(directory, "*" + DurableFiles.TemporarySuffix))
                File.Delete(leftover);
        }
    }

    /// <summary>A name for people to find, then a digest of the pair, which tells pairs apart.</summary>
    public string JournalFile(PairKey pair)
    {
        var readable = new StringBuilder(ReadableLength);
        foreach (var c in pair.Source.ToString().AsSpan())
        {
            if (readable.Length == ReadableLength)
                break;
            readable.Append(char.IsAsciiLetterOrDigit(c) || c == '-' || (c == '.' && readable.Length > 0) ? c : '_');
        }

        // Over UTF-16 code units: also what is no valid Unicode has a digest of its own.
        var both = $"{pair.Source}\0{pair.Target}";
        var digest = SHA256.HashData(MemoryMarshal.AsBytes(both.AsSpan()));
        return Path.Combine(pairs, $"{readable}-{Convert.ToHexStringLower(digest.AsSpan(0, 16))}.journal");
    }

    public IEnumerable<string> FindJournals() =>
        Directory.Exists(pairs) ? Directory.EnumerateFiles(pairs, "*.journal").Where(f => f.EndsWith(".journal", StringComparison.Ordinal)) : [];

    /// <summary>Renames a damaged journal so that a new one can begin. Returns where it went.</summary>
    public async Task<string> SetAsideAsync(string journal, CancellationToken cancellationToken)
    {
        var prefix = journal + ".damaged-";
        var kept = Directory.EnumerateFiles(pairs, Path.GetFileName(prefix) + "*")
            .Select(f => uint.TryParse(f.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0)
            .Where(n => n is > 0 and < uint.MaxValue)
            .Order()
            .ToList();
        foreach (var old in kept.SkipLast(DamagedKept - 1))
            File.Delete($"{prefix}{old}");
        var aside = $"{prefix}{(kept.Count == 0 ? 1 : kept[^1] + 1)}";
        File.Move(journal, aside, overwrite: true);
        await DurableFiles.SyncDirectoryAsync(pairs, cancellationToken);
        return aside;
    }

    public async Task RemoveAsync(string journal, CancellationToken cancellationToken)
    {
        File.Delete(journal);
        await DurableFiles.SyncDirectoryAsync(pairs, cancellationToken);
    }
}
