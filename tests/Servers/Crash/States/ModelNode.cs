namespace Imapsync.Servers.Tests.Crash.States;

/// <summary>A file or directory of the model, in two states: as running programs see it, and as it surely survives a crash.</summary>
internal sealed class ModelNode(bool isDirectory)
{
    private readonly List<FileOperation> unsynced = [];
    private byte[] durable = [];
    private DateTimeOffset? durableTime;

    public bool IsDirectory => isDirectory;

    /// <summary>A directory's entries as running programs see them.</summary>
    public Dictionary<string, ModelNode> Names { get; } = new(StringComparer.Ordinal);

    /// <summary>A directory's entries that survive a crash.</summary>
    public Dictionary<string, ModelNode> DurableNames { get; } = new(StringComparer.Ordinal);

    /// <summary>The file's final content and modification time. A modelled state with this content gets exactly this time.</summary>
    public (byte[] Octets, DateTime Time)? Last { get; set; }

    public bool HasUnsynced => unsynced.Count > 0;

    /// <summary>Sets content that existed before the record begins.</summary>
    public void Hold(byte[] octets, DateTime time) => (durable, durableTime) = (octets, new DateTimeOffset(time));

    public void Change(FileOperation operation) => unsynced.Add(operation);

    /// <summary>Makes all operations durable that had ended before the sync began.</summary>
    public void Sync(long begin)
    {
        var count = unsynced.FindIndex(o => o.End > begin);
        (durable, durableTime) = After(count < 0 ? unsynced.Count : count, partOfNext: 0);
        unsynced.RemoveRange(0, count < 0 ? unsynced.Count : count);
    }

    public (byte[] Octets, DateTimeOffset? Time) Durable => (durable, durableTime);

    public (byte[] Octets, DateTimeOffset? Time) Live => After(unsynced.Count, 0);

    /// <summary>Returns the content after a random prefix of the unsynced operations.</summary>
    public (byte[] Octets, DateTimeOffset? Time) Part(Random random) => After(random.Next(unsynced.Count + 1), random.NextDouble());

    private (byte[] Octets, DateTimeOffset? Time) After(int count, double partOfNext)
    {
        var (octets, time) = (durable, durableTime);
        for (var i = 0; i < count; i++)
            Apply(unsynced[i], unsynced[i].Data?.Length ?? 0, ref octets, ref time);
        if (count < unsynced.Count && unsynced[count] is { Kind: FileOperationKind.Write, Data: { } data })
            Apply(unsynced[count], (int)(partOfNext * data.Length), ref octets, ref time);
        return (octets, time);
    }

    private static void Apply(FileOperation operation, int length, ref byte[] octets, ref DateTimeOffset? time)
    {
        switch (operation.Kind)
        {
            case FileOperationKind.SetTime:
                time = operation.Time;
                break;
            case FileOperationKind.Truncate:
                octets = [.. octets];
                Array.Resize(ref octets, (int)operation.Offset);
                time = null;
                break;
            default:
                var at = operation.Offset < 0 ? octets.Length : (int)operation.Offset;
                var changed = new byte[Math.Max(octets.Length, at + length)];
                octets.CopyTo(changed, 0);
                operation.Data.AsSpan(0, length).CopyTo(changed.AsSpan(at));
                (octets, time) = (changed, null);
                break;
        }
    }
}
