using Imapsync.Engine.Jobs;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Model;

/// <summary>
/// The source's mail, and the mail that the target must show after a successful run. After an interrupted run two results may be allowed: a
/// message deleted at the source may have been copied before or not.
/// </summary>
internal sealed class ModelMailbox(FlagPolicy flags, DeletionPolicy deletions)
{
    public const string RemovedFolder = "Removed";

    private readonly SortedDictionary<string, List<ModelMessage>> folders = new(StringComparer.Ordinal) { ["INBOX"] = [] };
    private readonly List<ModelMessage> gone = [];
    private readonly List<ModelMessage> foreign = [];
    private readonly HashSet<string> doubtful = new(StringComparer.Ordinal);
    private readonly HashSet<string> everSeen = new(StringComparer.Ordinal) { "INBOX", RemovedFolder };

    public IReadOnlyDictionary<string, List<ModelMessage>> Folders => folders;

    public IEnumerable<ModelMessage> AtSource => folders.Values.SelectMany(m => m);

    /// <summary>All messages that the target may show.</summary>
    public IEnumerable<ModelMessage> Expected => AtSource.Concat(gone).Concat(foreign);

    public FlagPolicy FlagPolicy => flags;

    public int Delivered { get; private set; }

    public bool IsKnownFolder(string name) => everSeen.Any(f => f == name || f.StartsWith(name + "/", StringComparison.Ordinal));

    public void Create(string folder)
    {
        folders.Add(folder, []);
        doubtful.Add(folder);
        everSeen.Add(folder);
        Doubt(folder);
    }

    public void Deliver(string folder, ReadOnlySpan<byte> octets, DateTimeOffset date, IEnumerable<string> flagNames)
    {
        folders[folder].Add(ModelMessage.Of(octets, date, flagNames, folder, flags));
        Delivered++;
    }

    public void DeliverToTarget(string folder, ReadOnlySpan<byte> octets, DateTimeOffset date) =>
        foreign.Add(ModelMessage.Of(octets, date, [], folder, FlagPolicy.Once));

    public void ChangeFlag(string folder, ModelMessage message, string flag, bool add) => message.Change(flag, add, IsCertain(folder));

    public void Delete(string folder, ModelMessage message)
    {
        folders[folder].Remove(message);
        Leave(folder, message);
    }

    public void DeleteFolder(string folder)
    {
        foreach (var message in folders[folder])
            Leave(folder, message);
        folders.Remove(folder);
    }

    public void Rename(string from, string to)
    {
        foreach (var folder in folders.Keys.Where(f => f == from || f.StartsWith(from + "/", StringComparison.Ordinal)).ToList())
        {
            var name = to + folder[from.Length..];
            folders.Remove(folder, out var messages);
            folders.Add(name, messages!);
            everSeen.Add(name);
            Doubt(folder);
            foreach (var message in messages!)
            {
                if (!message.IsFresh)
                {
                    var left = message.LeftBehind(folder);
                    left.Places.Add(RemovedFolder);
                    gone.Add(left);
                    message.Recopy();
                }

                message.Places.Clear();
                message.Places.Add(name);
            }

            doubtful.Add(name);
        }

        // A renamed folder may take along messages that only the target still has, even those of subfolders deleted at the source long ago.
        foreach (var folder in everSeen.Where(f => f == from || f.StartsWith(from + "/", StringComparison.Ordinal)).ToList())
        {
            var name = to + folder[from.Length..];
            everSeen.Add(name);
            foreach (var other in gone.Concat(foreign).Where(m => m.Places.Contains(folder)))
                other.Places.Add(name);
        }
    }

    /// <summary>Changes the folder's UIDVALIDITY, which invalidates all its UIDs.</summary>
    public void Renumber(string folder)
    {
        foreach (var message in folders[folder])
            message.Renumber();
        doubtful.Add(folder);
        Doubt(folder);
    }

    public void AfterRun(bool wasOk)
    {
        foreach (var message in AtSource)
            message.AfterRun(wasOk, isAtSource: true);
        foreach (var message in gone.Concat(foreign))
            message.AfterRun(wasOk, isAtSource: false);
        doubtful.Clear();
        if (!wasOk)
            doubtful.UnionWith(folders.Keys);
    }

    public MailboxSnapshot SourceSnapshot()
    {
        var snapshot = new MailboxSnapshot();
        foreach (var (name, messages) in folders)
            snapshot.Add(name, subscribed: false, messages.Select(m => m.AtSource));
        return snapshot;
    }

    private bool IsCertain(string folder) => !doubtful.Contains(folder);

    private void Leave(string folder, ModelMessage message)
    {
        if (message.IsFresh)
            return;
        message.Leave();
        gone.Add(message);
        var isSure = message is { IsSettled: true, IsNewlyMoved: false } && (deletions == DeletionPolicy.Keep || IsCertain(folder));
        if (deletions == DeletionPolicy.Trash)
            message.Places.Add(RemovedFolder);
        if (!isSure)
            message.Presence = Presence.May;
        else if (deletions == DeletionPolicy.Mirror)
            message.Presence = Presence.Not;
        else if (deletions == DeletionPolicy.Trash)
            message.Places.Remove(folder);
    }

    /// <summary>
    /// Records that the folder was renamed, created or given another UIDVALIDITY. The program then need not remove copies of the folder's
    /// missing messages, because it can't prove that they were deleted.
    /// </summary>
    private void Doubt(string folder)
    {
        foreach (var message in gone.Where(m => m.IsNewlyGone && (m.Presence == Presence.Not || !m.Places.Contains(folder))))
        {
            if (deletions != DeletionPolicy.Keep)
                message.Presence = Presence.May;
            message.Places.Add(folder);
        }
    }
}
