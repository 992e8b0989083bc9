using Imapsync.Engine.Jobs;

namespace Imapsync.Servers.Tests.World;

/// <summary>What people and disks have done, which is all that decides what a run may do. Nothing of the product's state is looked at.</summary>
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

    /// <summary>Renames of the source's folders, which a target may follow; a disk put back turns them round.</summary>
    public List<(string From, string To)> Renames { get; } = [];

    /// <summary>At the source, by its owner or somebody's letter: it may lie at the target once more for each time.</summary>
    public void Came(string folder, int number) => lives[(folder, number)] = Lives(folder, number) + 1;

    /// <summary>By the owner's own hand: it may be removed at the target.</summary>
    public void Left(string folder, int number, int count = 1)
    {
        leftSource.Add((folder, number));
        removals[number] = removals.GetValueOrDefault(number) + count;
    }

    /// <summary>It is gone from the source by a disk put back, which may look as if its owner had removed it.</summary>
    public void WentWithADisk(int number, int count) => removals[number] = removals.GetValueOrDefault(number) + count;

    /// <summary>The source has it again by a restore, which makes it no second message.</summary>
    public void CameBack(string folder, int number, int count)
    {
        lives[(folder, number)] = Math.Max(Lives(folder, number), count);
        // Somebody's mail at the target is the account's own by now.
        copiesOfPeople.Remove((folder, number));
    }

    public void PeopleBrought(string folder, int number) => copiesOfPeople[(folder, number)] = CopiesOfPeople(folder, number) + 1;

    public void PeopleTook(string folder, int number)
    {
        if (CopiesOfPeople(folder, number) is > 0 and var count)
            copiesOfPeople[(folder, number)] = count - 1;
        takenByPeople[(folder, number)] = Taken(folder, number) + 1;
    }

    /// <summary>Nobody can know that it is gone from the target: that was put back, and nothing that it tells shows it.</summary>
    public void MayBeMissing(string folder, int number) => missing.Add((folder, number));

    /// <summary>Nobody can know that its owner has not removed it from the source, or that it has come under a UID known for other mail.</summary>
    public void MayGo(string folder, int number) => gone.Add((folder, number));

    /// <param name="looksAtTarget">Whatever is missing there has been found by now.</param>
    public bool IsOpen(string folder, int number, bool looksAtTarget = false) =>
        gone.Contains((folder, number)) || (!looksAtTarget && missing.Contains((folder, number)));

    /// <summary>It left the source, as far as anybody can know.</summary>
    public bool HasLeft(string folder, int number) => leftSource.Contains((folder, number)) || gone.Contains((folder, number));

    public int Lives(string folder, int number) => lives.GetValueOrDefault((folder, number));

    public int CopiesOfPeople(string folder, int number) => copiesOfPeople.GetValueOrDefault((folder, number));

    public int Taken(string folder, int number) => takenByPeople.GetValueOrDefault((folder, number));

    public int Removals(int number) => removals.GetValueOrDefault(number);

    /// <summary>Whether a job's filter lets it through.</summary>
    public bool Passes(MessageFilter filter, int number) => !Mail.TryGetValue(number, out var mail)
        || ((filter.Since is null || mail.Date >= filter.Since) && (filter.Before is null || mail.Date < filter.Before)
            && (filter.MaxSizeBytes is null || mail.Size <= filter.MaxSizeBytes)
            && (filter.MessageIds.IsEmpty || filter.MessageIds.Contains(mail.MessageId)));
}
