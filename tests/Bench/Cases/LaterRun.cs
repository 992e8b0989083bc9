using Imapsync.Bench.Contenders;

namespace Imapsync.Bench.Cases;

/// <summary>Brings the copy of a mailbox up to date, several times.</summary>
/// <param name="Change">Changes the source before each round.</param>
/// <param name="Arrived">Throws unless the change has arrived at the target. The number of messages is checked in any case.</param>
internal sealed record LaterRun(Mailbox Mailbox, Place Source, Func<string, Place> Target, Func<int, Task>? Change = null, Action<IContender, Place>? Arrived = null)
{
    public async Task<IReadOnlyDictionary<IContender, Transfer>> RunAsync(BenchLab lab, CaseResult result, params IContender[] contenders)
    {
        var transfers = new Dictionary<IContender, Transfer>();
        foreach (var contender in contenders.Where(c => !lab.Options.Without.Contains(c.Name)))
        {
            var transfer = transfers[contender] = new Transfer(contender.Name, Source, Target(contender.Name), lab[$"state-{contender.Name}"]);
            await contender.RunAsync([transfer]);
            BenchCase.Require(contender, transfer.Target, Mailbox.Messages);
            // The second run may still have to record changes caused by the first one; later runs are like ordinary nightly runs.
            await contender.RunAsync([transfer]);
        }

        for (var round = 1; round <= lab.Options.Runs; round++)
        {
            if (Change is not null)
                await Change(round);
            foreach (var (contender, transfer) in transfers)
            {
                result.Add(contender.Name, await contender.RunAsync([transfer]));
                BenchCase.Require(contender, transfer.Target, Mailbox.Messages);
                Arrived?.Invoke(contender, transfer.Target);
            }
        }

        return transfers;
    }
}
