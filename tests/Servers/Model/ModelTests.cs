namespace Imapsync.Servers.Tests.Model;

/// <summary>Random mailboxes, random changes between runs, and random faults during runs: no message may be lost or doubled.</summary>
public sealed class ModelTests
{
    [Fact]
    public async Task Whatever_happens_between_and_in_runs_the_target_ends_as_the_model()
    {
        await using var servers = await ModelServers.StartAsync();
        var tally = new ModelTally();
        // A round spends half of its time waiting, so twice as many rounds run at once as there are processors.
        await new Rounds(few: 40).PlayAsync(atOnce: 2 * Environment.ProcessorCount, seed => new ModelRound(seed, servers, tally), Ended, tally.ToString);

        int Ended(Exception? failure)
        {
            if (failure is HangException)
                tally.AddHung();
            return tally.AddRound();
        }
    }
}
