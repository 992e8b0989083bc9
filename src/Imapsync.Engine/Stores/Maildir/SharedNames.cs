using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>A file that has the same unique name as another file but other contents, so it is a separate message.</summary>
/// <param name="Key">Identifies the message: the unique name, <c>/</c> and a digest of the contents.</param>
internal readonly record struct SharedName(string Key, MaildirMessage Message);

/// <summary>
/// Distinguishes files that share a unique name. Usually there is one file, which was renamed during the scan. Programs that copy a Maildir
/// between machines can leave several files. Files with equal octets are one message. Of different messages, the oldest keeps the name's
/// UID. The others are recognised by their contents.
/// </summary>
internal sealed class SharedNames(string directory, NameTable known)
{
    private const string OfName = "/name/";
    private readonly HashSet<string> shared = [.. known.WithSlash.Select(k => k[..k.IndexOf('/', StringComparison.Ordinal)])];

    /// <summary>Messages that have no UID yet.</summary>
    public List<SharedName> WithoutUid { get; } = [];

    /// <summary>
    /// If several files share a unique name, one file keeps the name's UID. These keys record the digest of that file. Each key needs a UID
    /// in the table, but that UID belongs to no message.
    /// </summary>
    public List<string> Marks { get; } = [];

    public bool AreNone => shared.Count == 0;

    /// <summary>
    /// Returns whether several files have shared the name before. Then the contents are examined even if only one file is left.
    /// </summary>
    public bool IsKnown(string uniqueName) => shared.Contains(uniqueName);

    /// <param name="group">The file names that were seen with one unique name, in the order in which they were seen.</param>
    public IEnumerable<MaildirMessage> TellApart(IReadOnlyList<MaildirMessage> group)
    {
        var name = group[0].UniqueName;
        var there = group.DistinctBy(m => m.FileName).Where(m => IsThere(PathOf(m))).ToList();
        if (there.Count < 2 && !IsKnown(name))
        {
            // If none of these names exists any more, the file was renamed again. The name seen last is the best guess.
            yield return there.Count == 1 ? there[0] : group[^1];
            yield break;
        }

        var different = there.OrderBy(m => !m.InNew).ThenBy(m => m.FileName, StringComparer.Ordinal)
            .GroupBy(DigestOf).Select(g => (Digest: g.Key, Message: g.Last())).ToList();
        var isMarked = known.WithSlash.Any(k => k.StartsWith(name + OfName, StringComparison.Ordinal));
        var oldestFirst = different.Where(d => !known.ContainsName($"{name}/{d.Digest}"))
            .OrderByDescending(d => known.ContainsName(name + OfName + d.Digest))
            .ThenBy(d => File.GetCreationTimeUtc(PathOf(d.Message))).ThenBy(d => File.GetLastWriteTimeUtc(PathOf(d.Message)))
            .ThenBy(d => d.Digest, StringComparer.Ordinal).ToList();
        foreach (var (digest, message) in different)
        {
            if (known.TryGetUid($"{name}/{digest}", out var uid))
                yield return message with { Uid = uid };
        }

        foreach (var (at, (digest, message)) in oldestFirst.Index())
        {
            if (at == 0 && (!isMarked || known.ContainsName(name + OfName + digest)))
            {
                yield return message;
                if (!isMarked)
                    Marks.Add(name + OfName + digest);
            }
            else
            {
                WithoutUid.Add(new SharedName($"{name}/{digest}", message));
            }
        }
    }

    private static bool IsThere(string path) => File.Exists(path) || new FileInfo(path).LinkTarget is not null;

    private string PathOf(MaildirMessage message) => Path.Combine(directory, message.FileName);

    private string DigestOf(MaildirMessage message)
    {
        try
        {
            using var file = OrdinaryFile.OpenRead(PathOf(message));
            return Short(SHA256.HashData(file));
        }
        catch (Exception e) when (FileErrors.Is(e) && !FileErrors.IsEverywhere(e))
        {
            // A file that can't be read counts as different from all others.
            return Short(SHA256.HashData(Encoding.UTF8.GetBytes(message.FileName)));
        }
    }

    private static string Short(byte[] digest) => Convert.ToHexStringLower(digest.AsSpan(0, 16));
}
