using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Views;

/// <summary>
/// Shows a target as it would be after the run, without changing it. Requested changes are recorded and shown from then on. The preview
/// takes no messages (<see cref="StoreTraits.TakesMessages"/>), because a dry run counts the messages to copy without reading them.
/// </summary>
/// <param name="store">The target, open for reading.</param>
internal sealed class PreviewStore(ITargetStore store) : TargetView(store)
{
    private readonly Lock turn = new();

    /// <summary>For each folder that the run would rename: its new name, and its present name at the target.</summary>
    private readonly Dictionary<FolderPath, FolderPath> renamed = [];

    private readonly Dictionary<FolderPath, SpecialFolder> created = [];

    /// <summary>The changes that the run would make to messages, by the folder's present name.</summary>
    private readonly Dictionary<FolderPath, FolderChanges> changes = [];

    /// <summary>The target's folders in the last listing; null before it.</summary>
    private IReadOnlyList<FolderEntry>? listed;

    public override StoreTraits Traits { get; } = store.Traits with { TakesMessages = false };

    public override IAccessControl? AccessControl => Store.AccessControl is { } access ? new PreviewAccess(access, this) : null;

    public override async Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken)
    {
        listed = await Store.ListFoldersAsync(cancellationToken);
        return Show(listed);
    }

    public override Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken) =>
        Find(path) is { } there ? Store.GetStatusAsync(there, cancellationToken) : Task.FromResult(EmptyFolder.EmptyStatus);

    public override Task<UidCounters> GetUidCountersAsync(FolderPath path, CancellationToken cancellationToken) => Find(path) is { } there
        ? Target.GetUidCountersAsync(there, cancellationToken)
        : Task.FromResult(new UidCounters(EmptyFolder.EmptyStatus.UidValidity, EmptyFolder.EmptyStatus.UidNext));

    public override async Task<bool> ExistsAsync(FolderPath path, CancellationToken cancellationToken)
    {
        lock (turn)
        {
            if (created.ContainsKey(path) || renamed.ContainsKey(path))
                return true;
            if (renamed.ContainsValue(path))
                return false;
        }

        return await Store.ExistsAsync(path, cancellationToken);
    }

    public override async Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken) => await OpenForWritingAsync(path, cancellationToken);

    public override Task<IMessageFolder> OpenAgainAsync(FolderPath path, CancellationToken cancellationToken) => OpenAsync(path, cancellationToken);

    public override async Task<IWritableFolder> OpenForWritingAsync(FolderPath path, CancellationToken cancellationToken)
    {
        var there = Find(path);
        var folder = there is null ? new EmptyFolder(path) : await OpenWholeAsync(there, path, cancellationToken);
        lock (turn)
        {
            var key = there ?? path;
            if (!changes.TryGetValue(key, out var known))
                changes[key] = known = new FolderChanges();
            return new PreviewFolder(folder, path, known);
        }
    }

    public override async Task CreateFolderAsync(FolderPath path, SpecialFolder special, CancellationToken cancellationToken)
    {
        var isThere = Show(listed ??= await Store.ListFoldersAsync(cancellationToken)).Any(f => f.Path.Equals(path) && f.HoldsMessages);
        lock (turn)
        {
            if (!isThere)
                created[path] = special;
        }
    }

    /// <summary>
    /// Renames a folder together with its subfolders, as an IMAP server does. To keep a subfolder's old name, the caller has to rename it
    /// back.
    /// </summary>
    public override async Task RenameFolderAsync(FolderPath from, FolderPath to, CancellationToken cancellationToken)
    {
        var entries = listed ??= await Store.ListFoldersAsync(cancellationToken);
        lock (turn)
        {
            var names = renamed.ToDictionary(r => r.Value, r => r.Key);
            foreach (var there in entries.Select(f => f.Path))
            {
                var name = names.GetValueOrDefault(there, there);
                if (!name.IsAtOrBelow(from))
                    continue;
                renamed.Remove(name);
                if (Below(to, name) is var now && !now.Equals(there))
                    renamed[now] = there;
            }

            foreach (var (name, special) in created.Where(c => c.Key.IsAtOrBelow(from)).ToList())
            {
                created.Remove(name);
                created[Below(to, name)] = special;
            }
        }

        FolderPath Below(FolderPath place, FolderPath name) => new(place.Levels.Concat(name.Levels.Skip(from.Levels.Length)));
    }

    public override Task SetSubscribedAsync(FolderPath path, bool subscribed, CancellationToken cancellationToken) => Task.CompletedTask;

    public override Task SetSubscribedAsync(IReadOnlyDictionary<FolderPath, bool> wanted, CancellationToken cancellationToken) => Task.CompletedTask;

    private IReadOnlyList<FolderEntry> Show(IReadOnlyList<FolderEntry> there)
    {
        lock (turn)
        {
            var names = renamed.ToDictionary(r => r.Value, r => r.Key);
            var entries = there.Select(f => f with { Path = names.GetValueOrDefault(f.Path, f.Path) }).Where(f => !created.ContainsKey(f.Path));
            return [.. entries, .. created.Select(c => new FolderEntry(c.Key, Special: c.Value, Status: EmptyFolder.EmptyStatus))];
        }
    }

    /// <summary>
    /// Opens a folder. A local folder that lacks a directory (such as a Maildir without <c>cur</c>) is shown as empty, because the run
    /// would create the directory.
    /// </summary>
    private async Task<IMessageFolder> OpenWholeAsync(FolderPath there, FolderPath path, CancellationToken cancellationToken)
    {
        try
        {
            return await Store.OpenAsync(there, cancellationToken);
        }
        catch (MailException e) when (e.Kind == FailureKind.Gone && Store.Traits.KeepsWhatItGets && listed?.Any(f => f.Path.Equals(there) && f.HoldsMessages) == true)
        {
            return new EmptyFolder(path);
        }
    }

    /// <summary>Returns the present name of a folder; null for a folder that would only be created.</summary>
    private FolderPath? Find(FolderPath path)
    {
        lock (turn)
        {
            if (created.ContainsKey(path))
                return null;
            if (renamed.TryGetValue(path, out var there))
                return there;
            return !renamed.ContainsValue(path)
                ? path
                : throw new MailException(FailureScope.Folder, isTransient: false, $"{Traits.Display} has no folder {path}") { Kind = FailureKind.Gone };
        }
    }

    /// <summary>Records the rights that would be granted, without granting them.</summary>
    private sealed class PreviewAccess(IAccessControl access, PreviewStore view) : IAccessControl
    {
        public string Owner => access.Owner;

        public async Task<IReadOnlyList<AccessEntry>> ListAsync(FolderPath path, CancellationToken cancellationToken) =>
            view.Find(path) is { } there ? await access.ListAsync(there, cancellationToken) : [];

        public Task<string> AddAsync(FolderPath path, AccessEntry entry, CancellationToken cancellationToken) => Task.FromResult("");
    }
}
