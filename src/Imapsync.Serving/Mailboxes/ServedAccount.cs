using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Serving.Mailboxes;

/// <summary>The folders of a store under the names that IMAP clients know them by. One for all sessions.</summary>
internal sealed class ServedAccount(IMessageStore store)
{
    /// <summary>Stands in a wire name for a <c>/</c> within a level, which would split it.</summary>
    private const char SlashInLevel = '\u2215';

    private IReadOnlyList<ServedFolder> known = [];

    public IMessageStore Store => store;

    /// <summary>As they are now.</summary>
    public async Task<IReadOnlyList<ServedFolder>> ListAsync(CancellationToken cancellationToken)
    {
        var entries = (await store.ListFoldersAsync(cancellationToken)).OrderBy(e => e.Path).ToList();
        var parents = new HashSet<FolderPath>(entries.Select(e => e.Path.Parent).OfType<FolderPath>());
        var names = new HashSet<string>(StringComparer.Ordinal);
        var uses = new HashSet<SpecialFolder>();
        var folders = new List<ServedFolder>(entries.Count + 1);
        foreach (var entry in entries)
        {
            // One folder for each use, the one highest up.
            var use = SpecialFolderNames.UseOf(entry.Path);
            var isFirst = use is not (SpecialFolder.None or SpecialFolder.Inbox) && entry.HoldsMessages && uses.Add(use);
            folders.Add(new ServedFolder(
                Unused(WireName(entry.Path), names), entry.Path, entry.HoldsMessages, entry.Subscribed, parents.Contains(entry.Path), isFirst ? "\\" + use : null));
        }

        // Every client looks for it.
        if (names.Add("INBOX"))
            folders.Insert(0, new ServedFolder("INBOX", null, true, false, parents.Contains(FolderPath.Inbox), null));
        return known = folders;
    }

    /// <exception cref="Wire.RefusalException">There is none.</exception>
    public async Task<ServedFolder> FindAsync(string wireName, CancellationToken cancellationToken)
    {
        var name = Canonical(wireName);
        var found = known.FirstOrDefault(f => f.WireName == name) ?? (await ListAsync(cancellationToken)).FirstOrDefault(f => f.WireName == name);
        if (found is null)
            throw new Wire.RefusalException("there is no such folder", "NONEXISTENT");
        return found.HoldsMessages ? found : throw new Wire.RefusalException("that folder holds folders and no messages", "NONEXISTENT");
    }

    /// <summary>A client may write names otherwise than they are listed: INBOX in any case, UTF-8 as it is.</summary>
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
