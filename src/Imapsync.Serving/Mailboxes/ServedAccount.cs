using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Serving.Mailboxes;

/// <summary>The folders of a store under their IMAP names. All sessions share one instance.</summary>
internal sealed class ServedAccount(IMessageStore store)
{
    /// <summary>Replaces a <c>/</c> inside a level's name in wire names, where it would split the level.</summary>
    private const char SlashInLevel = '\u2215';

    private IReadOnlyList<ServedFolder> known = [];

    public IMessageStore Store => store;

    /// <summary>Lists the folders as they are in the store now.</summary>
    public async Task<IReadOnlyList<ServedFolder>> ListAsync(CancellationToken cancellationToken)
    {
        var listed = await store.ListFoldersAsync(cancellationToken);
        var entries = listed.Concat(MissingParents(listed)).OrderBy(e => e.Path).ToList();
        var parents = new HashSet<FolderPath>(entries.Select(e => e.Path.Parent).OfType<FolderPath>());
        var names = new HashSet<string>(StringComparer.Ordinal);
        var uses = new HashSet<SpecialFolder>();
        var folders = new List<ServedFolder>(entries.Count + 1);
        foreach (var entry in entries)
        {
            // Each special use is given to one folder only: the first in path order, which comes before the folders below it.
            var use = SpecialFolderNames.UseOf(entry.Path);
            var isFirst = use is not (SpecialFolder.None or SpecialFolder.Inbox) && entry.HoldsMessages && uses.Add(use);
            folders.Add(new ServedFolder(
                Unused(WireName(entry.Path), names), entry.Path, entry.HoldsMessages, entry.Subscribed, parents.Contains(entry.Path), isFirst ? "\\" + use : null));
        }

        // Every client looks for INBOX, so it is listed even if the store has none.
        if (names.Add("INBOX"))
            folders.Insert(0, new ServedFolder("INBOX", null, true, false, parents.Contains(FolderPath.Inbox), null));
        return known = folders;
    }

    /// <summary>
    /// Returns the parent folders that the store lacks. A client that lists level by level (<c>LIST "" %</c>) would not find the folders
    /// below without their parents (RFC 3501 §6.3.8).
    /// </summary>
    private static IEnumerable<FolderEntry> MissingParents(IReadOnlyList<FolderEntry> listed)
    {
        var there = listed.Select(e => e.Path).ToHashSet();
        foreach (var entry in listed)
        {
            for (var parent = entry.Path.Parent; parent is not null; parent = parent.Parent)
            {
                if (!parent.IsInbox && there.Add(parent))
                    yield return new FolderEntry(parent, HoldsMessages: false);
            }
        }
    }

    /// <exception cref="Wire.RefusalException">There is no such folder, or it holds no messages.</exception>
    public async Task<ServedFolder> FindAsync(string wireName, CancellationToken cancellationToken)
    {
        var name = Canonical(wireName);
        var found = known.FirstOrDefault(f => f.WireName == name) ?? (await ListAsync(cancellationToken)).FirstOrDefault(f => f.WireName == name);
        if (found is null)
            throw new Wire.RefusalException("there is no such folder", "NONEXISTENT");
        return found.HoldsMessages ? found : throw new Wire.RefusalException("that folder holds folders and no messages", "NONEXISTENT");
    }

    /// <summary>Converts a client's spelling of a name to the listed one: clients may write INBOX in any case and raw UTF-8.</summary>
    private static string Canonical(string wireName)
    {
        var name = ModifiedUtf7.Encode(ModifiedUtf7.Decode(wireName)).TrimEnd('/');
        return name.Equals("INBOX", StringComparison.OrdinalIgnoreCase) || name.StartsWith("INBOX/", StringComparison.OrdinalIgnoreCase)
            ? string.Concat("INBOX", name.AsSpan(5))
            : name;
    }

    private static string WireName(FolderPath path) => ModifiedUtf7.Encode(string.Join('/', path.Levels.Select(l => l.Replace('/', SlashInLevel))));

    private static string Unused(string name, HashSet<string> names)
    {
        var unused = name;
        for (var i = 2; !names.Add(unused); i++)
            unused = $"{name} ({i})";
        return unused;
    }
}
