using Imapsync.Imap;

namespace Imapsync.Engine.State;

/// <summary>
/// The in-memory content of one folder pair's checkpoint. A running job and the replay of its journal build it by the same steps.
/// </summary>
internal sealed class CheckpointState
{
    private readonly int[] counts = new int[Enum.GetValues<Settlement>().Length];

    /// <summary>True after the first reset, when the UIDVALIDITYs are known.</summary>
    public bool HasBegun { get; private set; }

    public UidValidity SourceValidity { get; private set; }

    public UidValidity TargetValidity { get; private set; }

    public ModSeq? SourceModSeq { get; set; }

    public string Rules { get; set; } = "";

    public Uid KnownTargetUidNext { get; set; }

    public TrashMark? MoveUnderWay { get; set; }

    /// <summary>Damaged copies: target UID → source UID.</summary>
    public SortedDictionary<Uid, Uid> DamagedCopies { get; } = [];

    public SettledList Messages { get; } = new();

    public FlagTable Flags { get; } = new();

    public int Count(Settlement settlement) => counts[(int)settlement];

    public SettledMessage ToMessage(SettledList.Entry entry) =>
        new(new Uid(entry.Source), new Uid(entry.Target), entry.Settlement, Flags[entry.Flags], entry.Checksum, entry.Seen);

    public void Reset(UidValidity source, UidValidity target, string rules)
    {
        HasBegun = true;
        (SourceValidity, TargetValidity, Rules) = (source, target, rules);
        SourceModSeq = null;
        KnownTargetUidNext = Uid.None;
        MoveUnderWay = null;
        DamagedCopies.Clear();
        Messages.Clear();
        Array.Clear(counts);
    }

    public void Settle(SettledList.Entry entry)
    {
        if (Messages.Set(entry, out var before))
            counts[(int)before.Settlement]--;
        counts[(int)entry.Settlement]++;
    }

    public bool Forget(Uid source)
    {
        if (!Messages.Remove(source, out var removed))
            return false;
        counts[(int)removed.Settlement]--;
        return true;
    }
}
