using Imapsync.Bench.Contenders;

namespace Imapsync.Bench.Cases;

/// <summary>Copies a mailbox to an empty target, several times.</summary>
/// <param name="Target">Creates a new, empty target with this name.</param>
/// <param name="Floor">Measures the minimal client of <c>Floor</c> on a new target; null for cases without this measurement.</param>
internal sealed record FirstCopy(Mailbox Mailbox, Place Source, Func<string, Place> Target, Func<Place, Task<Measurement>>? Floor)
{
    public async Task RunAsync(BenchLab lab, CaseResult result, params IContender[] contenders)
    {
        for (var round = 1; round <= lab.Options.Runs; round++)
        {
            if (Floor is not null && !lab.Options.Without.Contains(CaseResult.FloorName))
            {
                var place = Target($"floor{round}");
                result.Add(CaseResult.FloorName, await Floor(place));
                place.Delete();
            }

            foreach (var contender in contenders)
            {
                var name = $"{contender.Name}{round}";
                var transfer = new Transfer(name, Source, Target(name), lab[$"state-{name}"]);
                if (!contender.Can(transfer) || lab.Options.Without.Contains(contender.Name))
                    continue;
                result.Add(contender.Name, await contender.RunAsync([transfer]));
                BenchCase.Require(contender, transfer.Target, Mailbox.Messages);
                transfer.Target.Delete();
            }
        }
    }
}
