namespace Imapsync.Servers.Tests.Crash.States;

/// <summary>How much of the unsynced changes survives a crash.</summary>
internal enum Survival
{
    /// <summary>No unsynced change survives.</summary>
    Nothing,

    /// <summary>All names survive, but their files are empty.</summary>
    NamesWithoutOctets,

    /// <summary>The first of the name changes survive, in order, as with a journaling file system. File contents survive in part.</summary>
    NamesInOrder,

    /// <summary>Any subset of the name changes survives, in no particular order; file contents survive in part.</summary>
    AnyNames,

    /// <summary>Everything survives, as after <c>kill -9</c>.</summary>
    Everything,
}

/// <summary>
/// Replays a record on a model file system, and produces trees that a crash may leave. The model guarantees only what docs/reliability.md
/// assumes: syncing a file saves its content, syncing a directory saves its names, and a rename happens wholly or not at all.
/// </summary>
internal sealed class FileSystemModel
{
    private readonly string root;
    private readonly ModelNode tree = new(isDirectory: true);
    private readonly Dictionary<string, ModelNode> nameless = new(StringComparer.Ordinal);
    private readonly List<NameChange> unsyncedNames = [];
    private readonly List<ModelNode> files = [];
    private IReadOnlyList<(byte[] Octets, DateTime Time)?> known = [];

    /// <summary>Starts from the existing tree, all of it durable.</summary>
    public FileSystemModel(string root)
    {
        this.root = root;
        TakeOver(root, tree);
    }

    private sealed record Edit(ModelNode Directory, string Name, ModelNode Node, bool IsRemoval);

    private sealed record NameChange(long End, Edit[] Edits);

    public bool HasUnsynced => unsyncedNames.Count > 0 || files.Exists(f => f.HasUnsynced);

    public void Do(FileOperation operation)
    {
        switch (operation.Kind)
        {
            case FileOperationKind.Create:
                if (TryFind(operation.Path) is not { } there)
                    Change(operation.End, Adding(operation.Path, NewFile()));
                else if (operation.Offset == 1)
                    there.Change(operation with { Kind = FileOperationKind.Truncate, Offset = 0 });
                break;
            case FileOperationKind.CreateNameless:
                nameless[operation.Path] = NewFile();
                break;
            case FileOperationKind.MakeDirectory:
                Change(operation.End, Adding(operation.Path, new ModelNode(isDirectory: true)));
                break;
            case FileOperationKind.Rename:
                Change(operation.End, Removing(operation.Path), Adding(operation.NewPath, Find(operation.Path)));
                break;
            case FileOperationKind.Link:
                Change(operation.End, Adding(operation.NewPath, Find(operation.Path)));
                break;
            case FileOperationKind.Remove:
                Change(operation.End, Removing(operation.Path));
                break;
            case FileOperationKind.Sync when Find(operation.Path) is { IsDirectory: true } directory:
                SyncNames(operation.Begin, directory);
                break;
            case FileOperationKind.Sync:
                Find(operation.Path).Sync(operation.Begin);
                break;
            case FileOperationKind.SyncAll:
                SyncNames(operation.Begin, null);
                foreach (var file in files)
                    file.Sync(operation.Begin);
                break;
            default:
                // Writes to a file that has been removed have no effect on the tree.
                (TryFind(operation.Path) ?? nameless.GetValueOrDefault(operation.Path))?.Change(operation);
                break;
        }
    }

    /// <summary>
    /// Returns the contents of each file on disk, which must still be as the run left it. Throws if they differ from the model.
    /// </summary>
    public IReadOnlyList<(byte[] Octets, DateTime Time)?> LastContents()
    {
        var last = new Dictionary<ModelNode, (byte[], DateTime)>();
        var found = 0;
        Walk(tree, root, (path, node) =>
        {
            var octets = File.ReadAllBytes(path);
            if (!octets.AsSpan().SequenceEqual(node.Live.Octets))
                throw new InvalidOperationException($"the record does not explain the octets of {path}");
            last[node] = (octets, File.GetLastWriteTimeUtc(path));
            found++;
        });
        if (found != Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Count())
            throw new InvalidOperationException("the record does not explain all files");
        return [.. files.Select(f => last.TryGetValue(f, out var known) ? known : ((byte[], DateTime)?)null)];
    }

    /// <summary>
    /// Takes the result of <see cref="LastContents"/>. A modelled file with the same content then gets the exact modification time from
    /// there.
    /// </summary>
    public void Know(IReadOnlyList<(byte[] Octets, DateTime Time)?> contents)
    {
        known = contents;
        for (var i = 0; i < files.Count; i++)
            files[i].Last = contents[i];
    }

    /// <summary>Replaces the tree on disk with one that a crash at this moment may leave.</summary>
    public void WriteCrash(Survival survival, Random random)
    {
        if (Directory.Exists(root))
            Directory.Delete(root, recursive: true);
        var kept = Kept(survival, random);
        var names = new Dictionary<ModelNode, Dictionary<string, ModelNode>>();
        foreach (var edit in kept.SelectMany(c => c.Edits))
        {
            if (!names.TryGetValue(edit.Directory, out var changed))
                names[edit.Directory] = changed = new(edit.Directory.DurableNames, StringComparer.Ordinal);
            Apply(edit, changed);
        }

        Write(tree, root, n => names.GetValueOrDefault(n, n.DurableNames), n => survival switch
        {
            Survival.Nothing or Survival.NamesWithoutOctets => n.Durable,
            Survival.Everything => n.Live,
            _ => random.Next(4) switch { 0 => n.Durable, 1 => n.Live, _ => n.Part(random) },
        });
    }

    private List<NameChange> Kept(Survival survival, Random random)
    {
        switch (survival)
        {
            case Survival.Nothing:
                return [];
            case Survival.NamesInOrder:
                return unsyncedNames[..random.Next(unsyncedNames.Count + 1)];
            case Survival.AnyNames:
                var share = random.Next(1, 10) / 10.0;
                return unsyncedNames.FindAll(_ => random.NextDouble() < share);
            default:
                return unsyncedNames;
        }
    }

    private ModelNode NewFile()
    {
        var file = new ModelNode(isDirectory: false) { Last = files.Count < known.Count ? known[files.Count] : null };
        files.Add(file);
        return file;
    }

    private void Change(long end, params Edit[] edits)
    {
        foreach (var edit in edits)
            Apply(edit, edit.Directory.Names);
        unsyncedNames.Add(new NameChange(end, edits));
    }

    private static void Apply(Edit edit, Dictionary<string, ModelNode> names)
    {
        if (!edit.IsRemoval)
            names[edit.Name] = edit.Node;
        else if (names.GetValueOrDefault(edit.Name) == edit.Node)
            names.Remove(edit.Name);
    }

    /// <param name="directory">Null for all directories.</param>
    private void SyncNames(long begin, ModelNode? directory)
    {
        var lasting = unsyncedNames.FindAll(c => c.End <= begin && (directory is null || c.Edits.Any(e => e.Directory == directory))).ToHashSet();

        // A rename that changes two directories becomes durable when either of them is synced. Earlier changes of the same names then
        // become durable too.
        for (var i = unsyncedNames.Count - 1; i >= 0; i--)
        {
            var change = unsyncedNames[i];
            if (unsyncedNames.Skip(i + 1).Any(later => lasting.Contains(later) && later.Edits.Any(l => change.Edits.Any(e => e.Directory == l.Directory && e.Name == l.Name))))
                lasting.Add(change);
        }

        foreach (var edit in unsyncedNames.Where(lasting.Contains).SelectMany(c => c.Edits))
            Apply(edit, edit.Directory.DurableNames);
        unsyncedNames.RemoveAll(lasting.Contains);
    }

    private Edit Adding(string path, ModelNode node) => new(Find(Path.GetDirectoryName(path)!), Path.GetFileName(path), node, IsRemoval: false);

    private Edit Removing(string path) => new(Find(Path.GetDirectoryName(path)!), Path.GetFileName(path), Find(path), IsRemoval: true);

    private ModelNode Find(string path) =>
        nameless.GetValueOrDefault(path) ?? TryFind(path) ?? throw new InvalidOperationException($"the record speaks of {path}, which was never made");

    private ModelNode? TryFind(string path)
    {
        var node = tree;
        foreach (var name in path[root.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (node is null)
                return null;
            node = node.Names.GetValueOrDefault(name);
        }

        return node;
    }

    private void TakeOver(string path, ModelNode directory)
    {
        foreach (var entry in new DirectoryInfo(path).EnumerateFileSystemInfos().OrderBy(e => e.Name, StringComparer.Ordinal))
        {
            var node = entry is DirectoryInfo ? new ModelNode(isDirectory: true) : NewFile();
            if (node.IsDirectory)
                TakeOver(entry.FullName, node);
            else
                node.Hold(File.ReadAllBytes(entry.FullName), entry.LastWriteTimeUtc);
            directory.Names[entry.Name] = directory.DurableNames[entry.Name] = node;
        }
    }

    private static void Walk(ModelNode directory, string path, Action<string, ModelNode> visit)
    {
        foreach (var (name, node) in directory.Names)
        {
            if (node.IsDirectory)
                Walk(node, Path.Combine(path, name), visit);
            else
                visit(Path.Combine(path, name), node);
        }
    }

    private static void Write(
        ModelNode directory, string path, Func<ModelNode, Dictionary<string, ModelNode>> names, Func<ModelNode, (byte[] Octets, DateTimeOffset? Time)> contents)
    {
        Directory.CreateDirectory(path);
        foreach (var (name, node) in names(directory))
        {
            var inside = Path.Combine(path, name);
            if (node.IsDirectory)
            {
                Write(node, inside, names, contents);
                continue;
            }

            var (octets, time) = contents(node);
            File.WriteAllBytes(inside, octets);
            if (time is { } set)
                File.SetLastWriteTimeUtc(inside, set.UtcDateTime);
            else if (node.Last is { } last && octets.AsSpan().SequenceEqual(last.Octets))
                File.SetLastWriteTimeUtc(inside, last.Time);
        }
    }
}
