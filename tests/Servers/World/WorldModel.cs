using Imapsync.Engine.Jobs;

namespace Imapsync.Servers.Tests.World;

/// <summary>
/// Records all changes that users and restored older disks make. The tests judge a run by these alone, never by the program's state.
/// </summary>
internal sealed class WorldModel
{
    private readonly Dictionary<(string, int), int> lives = [];
    private readonly Dictionary<(string, int), int> copiesOfPeople = [];
    private readonly Dictionary<(string, int), int> takenByPeople = [];
    private readonly Dictionary<int, int> removals = [];
    private readonly HashSet<(string, int)> leftSource = [];
    private readonly HashSet<(string, int)> missing = [];
    private readonly HashSet<(string, int)> gone = [];

    public Dictionary<int, WorldMail> Mail { get; } = [];

    /// <summary>
    /// Renames of source folders, which a run may repeat at the target. Restoring an older copy of the source records each rename in
    /// reverse.
    /// </summary>
    public List<(string From, string To)> Renames { get; } = [];

    /// <summary>
    /// Records that a message arrived at the source, from its owner or by delivery. The target may then hold one more copy.
    /// </summary>
    public void Came(string folder, int number) => lives[(folder, number)] = Lives(folder, number) + 1;

    /// <summary>Records that the owner removed a message, so that a run may remove it at the target.</summary>
    public void Left(string folder, int number, int count = 1)
    {
        leftSource.Add((folder, number));
        removals[number] = removals.GetValueOrDefault(number) + count;
    }

    /// <summary>
    /// Records that an older copy of the source was restored, which lacks a message. To a program, the owner may seem to have removed it.
    /// </summary>
    public void WentWithADisk(int number, int count) => removals[number] = removals.GetValueOrDefault(number) + count;

    /// <summary>Records that the program restored a message to the source. It counts as the same message, not as a second one.</summary>
    public void CameBack(string folder, int number, int count)
    {
        lives[(folder, number)] = Math.Max(Lives(folder, number), count);
        // If a user had delivered the message to the target, it now counts as mail of the source.
        copiesOfPeople.Remove((folder, number));
    }

    public void PeopleBrought(string folder, int number) => copiesOfPeople[(folder, number)] = CopiesOfPeople(folder, number) + 1;

    public void PeopleTook(string folder, int number)
    {
        if (CopiesOfPeople(folder, number) is > 0 and var count)
            copiesOfPeople[(folder, number)] = count - 1;
        takenByPeople[(folder, number)] = Taken(folder, number) + 1;
    }

    /// <summary>
    /// Records that the message may be missing: an older copy of the target was restored, and no counter such as UIDNEXT shows this.
    /// </summary>
    public void MayBeMissing(string folder, int number) => missing.Add((folder, number));

    /// <summary>
    /// Records that a run may remove the message at the target. To a program, the owner seems to have deleted it, or it has a UID that
    /// other mail had before.
    /// </summary>
    public void MayGo(string folder, int number) => gone.Add((folder, number));

    /// <param name="looksAtTarget">Whether the run lists the target, so that it finds every missing message.</param>
    public bool IsOpen(string folder, int number, bool looksAtTarget = false) =>
        gone.Contains((folder, number)) || (!looksAtTarget && missing.Contains((folder, number)));

    /// <summary>Whether the message left the source, as far as a program can know.</summary>
    public bool HasLeft(string folder, int number) => leftSource.Contains((folder, number)) || gone.Contains((folder, number));

    public int Lives(string folder, int number) => lives.GetValueOrDefault((folder, number));

    public int CopiesOfPeople(string folder, int number) => copiesOfPeople.GetValueOrDefault((folder, number));

    public int Taken(string folder, int number) => takenByPeople.GetValueOrDefault((folder, number));

    public int Removals(int number) => removals.GetValueOrDefault(number);

    /// <summary>Returns whether a job's filter selects the message.</summary>
    public bool Passes(MessageFilter filter, int number) => !Mail.TryGetValue(number, out var mail)
        || ((filter.Since is null || mail.Date >= filter.Since) && (filter.Before is null || mail.Date < filter.Before)
            && (filter.MaxSizeBytes is null || mail.Size <= filter.MaxSizeBytes)
            && (filter.MessageIds.IsEmpty || filter.MessageIds.Contains(mail.MessageId)));
}
