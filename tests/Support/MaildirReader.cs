using System.Security.Cryptography;

namespace Imapsync.Tests.Support;

/// <summary>Reads a Maildir++ tree as Dovecot would show it over IMAP, without any of the product's code.</summary>
public static class MaildirReader
{
    private static readonly (char Letter, string Flag)[] Letters =
    [
        ('D', "\\Draft"), ('F', "\\Flagged"), ('P', "$Forwarded"), ('R', "\\Answered"), ('S', "\\Seen"), ('T', "\\Deleted"),
    ];

    public static MailboxSnapshot Read(string directory)
    {
        var subscriptions = Subscriptions(Path.Combine(directory, "subscriptions"));
        var mailbox = new MailboxSnapshot();
        mailbox.Add("INBOX", subscriptions.Contains("INBOX"), Messages(directory));
        foreach (var path in Directory.EnumerateDirectories(directory, ".*"))
        {
            var name = string.Join('/', Path.GetFileName(path)[1..].Split('.').Select(ModifiedUtf7.Decode));
            if (Directory.Exists(Path.Combine(path, "cur")))
                mailbox.Add(name, subscriptions.Contains(name), Messages(path));
        }

        return mailbox;
    }

    /// <summary>Lists the files in all <c>tmp</c> directories; a program that ended properly leaves none.</summary>
    public static IEnumerable<string> TemporaryFiles(string directory) =>
        Directory.EnumerateDirectories(directory, "tmp", SearchOption.AllDirectories).SelectMany(Directory.EnumerateFiles);

    /// <summary>Returns the SHA-256, in hex, of a message's file as IMAP shows it.</summary>
    public static string DigestOf(string path) => Hash(path).Digest;

    /// <summary>Reads the messages of one Maildir, whatever the layout of the surrounding tree.</summary>
    public static IEnumerable<SnapshotMessage> Messages(string folder)
    {
        var keywords = Keywords(Path.Combine(folder, "dovecot-keywords"));
        foreach (var file in Directory.EnumerateFiles(Path.Combine(folder, "cur")).Concat(Directory.EnumerateFiles(Path.Combine(folder, "new"))))
        {
            var name = Path.GetFileName(file);
            var info = name.IndexOf(":2,", StringComparison.Ordinal);
            var letters = info < 0 ? "" : name[(info + 3)..];
            var flags = letters.Select(l => l is >= 'a' and <= 'z' ? keywords.GetValueOrDefault(l - 'a', $"unknown-{l}") : Letters.First(x => x.Letter == l).Flag);
            var (digest, length) = Hash(file);
            yield return new SnapshotMessage(
                digest,
                length,
                SnapshotMessage.Canonical(flags),
                DateTimeOffset.FromUnixTimeSeconds(new DateTimeOffset(File.GetLastWriteTimeUtc(file)).ToUnixTimeSeconds()));
        }
    }

    /// <summary>Hashes a file as IMAP shows it, which puts a CR before each LF that has none.</summary>
    private static (string Digest, long Length) Hash(string path)
    {
        using var file = File.OpenHandle(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (block, position, length, last) = (new byte[256 * 1024], 0L, 0L, (byte)0);
        int count;
        while ((count = RandomAccess.Read(file, block, position)) > 0)
        {
            var octets = WithCrLf(block.AsSpan(0, count), last);
            hash.AppendData(octets);
            length += octets.Length;
            last = block[count - 1];
            position += count;
        }

        return (Convert.ToHexStringLower(hash.GetHashAndReset()), length);
    }

    /// <param name="last">The octet that precedes <paramref name="octets"/>.</param>
    public static ReadOnlySpan<byte> WithCrLf(ReadOnlySpan<byte> octets, byte last = 0)
    {
        var result = new byte[octets.Length + octets.Count((byte)'\n')];
        var length = 0;
        foreach (var octet in octets)
        {
            if (octet == '\n' && last != '\r')
                result[length++] = (byte)'\r';
            result[length++] = octet;
            last = octet;
        }

        return result.AsSpan(0, length);
    }

    private static Dictionary<int, string> Keywords(string file) => !File.Exists(file)
        ? []
        : File.ReadLines(file).Select(l => l.Split(' ', 2)).Where(p => p.Length == 2).ToDictionary(p => int.Parse(p[0]), p => p[1]);

    private static HashSet<string> Subscriptions(string file) => !File.Exists(file)
        ? []
        : [.. File.ReadLines(file).Skip(2).Select(l => string.Join('/', l.Split('\t').Select(ModifiedUtf7.Decode)))];
}
