using System.Globalization;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Maps folder paths to their wire names and back. A listed name is sent back exactly as it came. No other class deals with the namespaces'
/// prefixes (<c>INBOX.</c>), the delimiter or modified UTF-7. Not thread-safe.
/// </summary>
/// <param name="namespaces">As the server reported them; folders are created in the first personal one.</param>
/// <param name="delimiter">Separates the levels of a new folder's name; null where the server has no hierarchy.</param>
internal sealed class FolderNames(IReadOnlyList<ImapNamespace> namespaces, char? delimiter, Action<string> onNote)
{
    /// <summary>A folder with a longer wire name (in octets) is left out. Servers allow names of 4,096 octets or fewer.</summary>
    private const int MaxNameLength = 16_000;

    private readonly Dictionary<FolderPath, string> wireNames = [];
    private readonly Dictionary<string, FolderPath> paths = [];
    private readonly HashSet<FolderPath> containers = [];

    // For each path to which several names decode: the number with which the search for a free suffix begins next time. Thousands of such
    // names would otherwise each search from the beginning.
    private readonly Dictionary<FolderPath, int> wantedBefore = [];
    private readonly string prefix = namespaces.FirstOrDefault(n => n.Kind == NamespaceKind.Personal)?.Prefix ?? "";

    /// <summary>Records a listed name and returns its path; null for a name that is too long or has no level.</summary>
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

    /// <summary>Returns the wire name as listed, or null when no such folder was listed.</summary>
    public string? Find(FolderPath path) =>
        wireNames.GetValueOrDefault(path) ?? (path.IsInbox ? "INBOX" : wireNames.GetValueOrDefault(ListedAs(path)));

    /// <summary>Returns whether the folder was listed as a name that only has children and holds no mail.</summary>
    public bool IsContainer(FolderPath path) => containers.Contains(path) || containers.Contains(ListedAs(path));

    /// <summary>Returns whether the folder lies in another user's namespace or in a shared one (RFC 2342).</summary>
    public bool IsForeign(string wire)
    {
        if (wire.Equals("INBOX", StringComparison.OrdinalIgnoreCase))
            return false;
        var nearest = namespaces.Where(n => wire.StartsWith(n.Prefix, StringComparison.OrdinalIgnoreCase)).MaxBy(n => n.Prefix.Length);
        return nearest is { Kind: not NamespaceKind.Personal };
    }

    /// <summary>Returns whether the wire name is encoded just as this client would encode it.</summary>
    public static bool IsAsWritten(string wire) => ModifiedUtf7.Encode(ModifiedUtf7.Decode(wire)).Equals(wire, StringComparison.Ordinal);

    public void Forget()
    {
        wireNames.Clear();
        paths.Clear();
        containers.Clear();
        wantedBefore.Clear();
    }

    /// <summary>Returns the wire name with which a folder is created.</summary>
    public string Make(FolderPath path)
    {
        if (Find(path) is { } known)
            return known;
        path = ListedAs(path);
        return path.Parent is { } parent ? Make(parent) + delimiter + ModifiedUtf7.Encode(path.Name) : prefix + ModifiedUtf7.Encode(path.Name);
    }

    /// <summary>Records the wire name of a folder that was just created, so that it is found even if the server never lists it.</summary>
    public void Made(FolderPath path, string wire)
    {
        path = ListedAs(path);
        wireNames[path] = wire;
        paths.TryAdd(wire, path);
        containers.Remove(path);
    }

    /// <summary>
    /// Returns the path under which a folder will be listed once it is created. The delimiter and control characters inside a level are
    /// written as <c>%XX</c>, and <c>%</c> itself only in a level that has one of these, so that a name that needs no escaping stays unchanged. Where
    /// all folders lie below INBOX on the wire, a path below INBOX and the same path at the top are one folder.
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
        // INBOX.INBOX.x keeps its prefix: without the prefix it would read INBOX.x, which is the wire name of another path (x).
        if (prefix.Length > 0 && wire.Length > prefix.Length && wire.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && !IsAtOrBelowInbox(wire[prefix.Length..], listedDelimiter))
            wire = wire[prefix.Length..];
        string[] parts = listedDelimiter is { } d ? wire.Split(d, StringSplitOptions.RemoveEmptyEntries) : [wire];
        return [.. parts.Where(p => p.Length > 0).Select(ModifiedUtf7.Decode)];
    }
}
