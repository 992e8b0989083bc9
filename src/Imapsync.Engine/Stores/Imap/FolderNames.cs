using System.Globalization;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Folder paths and the names they have on the wire. A name that was listed is sent back as it came; the namespaces'
/// prefixes (<c>INBOX.</c>), the delimiter and modified UTF-7 appear nowhere else. Not thread-safe.
/// </summary>
/// <param name="namespaces">As the server told them; the first personal one is where folders are made.</param>
/// <param name="delimiter">Between levels of a name that is made; null where there are no levels.</param>
internal sealed class FolderNames(IReadOnlyList<ImapNamespace> namespaces, char? delimiter, Action<string> onNote)
{
    /// <summary>Octets on the wire; servers stop at 4,096 or earlier.</summary>
    private const int MaxNameLength = 16_000;

    private readonly Dictionary<FolderPath, string> wireNames = [];
    private readonly Dictionary<string, FolderPath> paths = [];
    private readonly HashSet<FolderPath> containers = [];

    // How often a path was wanted: a server with thousands of names that read the same must not be searched through each time.
    private readonly Dictionary<FolderPath, int> wantedBefore = [];
    private readonly string prefix = namespaces.FirstOrDefault(n => n.Kind == NamespaceKind.Personal)?.Prefix ?? "";

    /// <summary>The path of a listed name; null for a name that has no level at all.</summary>
    public FolderPath? Learn(ListedFolder listed)
    {
        if (!paths.TryGetValue(listed.WireName, out var path) && (path = Add(listed)) is null)
            return null;
        if (listed.Attributes.Contains("\\Noselect"))
            containers.Add(path);
        else
            containers.Remove(path);
        return path;
    }

    /// <summary>The name as listed, or null when no such folder was.</summary>
    public string? Find(FolderPath path) =>
        wireNames.GetValueOrDefault(path) ?? (path.IsInbox ? "INBOX" : wireNames.GetValueOrDefault(ListedAs(path)));

    /// <summary>It was listed as a name that only has children.</summary>
    public bool IsContainer(FolderPath path) => containers.Contains(path) || containers.Contains(ListedAs(path));

    /// <summary>It lies in a namespace of other users or in a shared one (RFC 2342).</summary>
    public bool IsForeign(string wire)
    {
        if (wire.Equals("INBOX", StringComparison.OrdinalIgnoreCase))
            return false;
        var nearest = namespaces.Where(n => wire.StartsWith(n.Prefix, StringComparison.OrdinalIgnoreCase)).MaxBy(n => n.Prefix.Length);
        return nearest is { Kind: not NamespaceKind.Personal };
    }

    /// <summary>The name is spelt as this client would spell it.</summary>
    public static bool IsAsWritten(string wire) => ModifiedUtf7.Encode(ModifiedUtf7.Decode(wire)).Equals(wire, StringComparison.Ordinal);

    public void Forget()
    {
        wireNames.Clear();
        paths.Clear();
        containers.Clear();
        wantedBefore.Clear();
    }

    /// <summary>The name a folder gets when it is created.</summary>
    public string Make(FolderPath path)
    {
        if (Find(path) is { } known)
            return known;
        path = ListedAs(path);
        return path.Parent is { } parent ? Make(parent) + delimiter + ModifiedUtf7.Encode(path.Name) : prefix + ModifiedUtf7.Encode(path.Name);
    }

    /// <summary>A folder was made under the name that <see cref="Make"/> gave, whether or not it is ever listed.</summary>
    public void Made(FolderPath path, string wire)
    {
        path = ListedAs(path);
        wireNames[path] = wire;
        paths.TryAdd(wire, path);
        containers.Remove(path);
    }

    /// <summary>
    /// The path that a folder has here once it is made. The delimiter and control characters inside a level are written
    /// <c>%XX</c>, and <c>%</c> itself only beside one of them: a name that can stand as it is does. Where all folders
    /// lie below INBOX on the wire, below INBOX and at the top are one place.
    /// </summary>
    public FolderPath ListedAs(FolderPath path)
    {
        if (wireNames.ContainsKey(path) || path.IsInbox)
            return path;
        var levels = path.Levels.AsEnumerable();
        if (delimiter is { } d && prefix.TrimEnd(d).Equals("INBOX", StringComparison.OrdinalIgnoreCase)
            && path.Levels[0] == "INBOX" && !path.Levels[1].Equals("INBOX", StringComparison.OrdinalIgnoreCase))
        {
            levels = levels.Skip(1);
        }

        levels = levels.Select(Escaped);
        return delimiter is null ? new FolderPath(string.Join("%2F", levels)) : new FolderPath(levels);
    }

    private FolderPath? Add(ListedFolder listed)
    {
        if (listed.WireName.Length > MaxNameLength)
        {
            onNote($"the server lists a folder whose name has {listed.WireName.Length} octets, more than {MaxNameLength}: it is left out");
            return null;
        }

        var levels = Levels(listed.WireName, listed.Delimiter);
        if (levels.Count == 0)
        {
            if (listed.WireName.Length > 0 && !listed.Attributes.Contains("\\Noselect"))
                onNote($"the server lists a folder by the name '{listed.WireName}', which is nothing but delimiters: it is left out");
            return null;
        }

        var path = new FolderPath(levels);
        var wanted = path;
        for (var n = wantedBefore.GetValueOrDefault(wanted, 2); wireNames.ContainsKey(path); wantedBefore[wanted] = ++n)
            path = new FolderPath([.. levels.SkipLast(1), $"{levels[^1]} ({n})"]);
        if (!path.Equals(wanted))
            onNote($"two folders of the server have the same name here: {string.Join('/', levels)}; the second is shown as {path}");
        wireNames.Add(path, listed.WireName);
        paths.Add(listed.WireName, path);
        return path;
    }

    private string Escaped(string level)
    {
        if (!level.Any(MustEscape))
            return level;
        var escaped = new StringBuilder();
        foreach (var c in level)
        {
            if (MustEscape(c) || c == '%')
                escaped.Append(CultureInfo.InvariantCulture, $"%{(int)c:X2}");
            else
                escaped.Append(c);
        }

        return escaped.ToString();
    }

    private static bool IsAtOrBelowInbox(string wire, char? delimiter) =>
        wire.StartsWith("INBOX", StringComparison.OrdinalIgnoreCase) && (wire.Length == 5 || wire[5] == delimiter);

    private bool MustEscape(char c) => c == delimiter || c is < ' ' or '\x7f';

    private List<string> Levels(string wire, char? listedDelimiter)
    {
        // INBOX.INBOX.x stays what it is: INBOX.x, the same without the prefix, is made of another path.
        if (prefix.Length > 0 && wire.Length > prefix.Length && wire.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && !IsAtOrBelowInbox(wire[prefix.Length..], listedDelimiter))
            wire = wire[prefix.Length..];
        string[] parts = listedDelimiter is { } d ? wire.Split(d, StringSplitOptions.RemoveEmptyEntries) : [wire];
        return [.. parts.Where(p => p.Length > 0).Select(ModifiedUtf7.Decode)];
    }
}
