using Imapsync.Servers.Tests.Model;

namespace Imapsync.Servers.Tests.World;

/// <summary>
/// The second model test: older disks are restored, servers omit numbers, users change both sides, rules change, and the program restores
/// mail.
/// </summary>
public sealed class WorldTests
{
    [Fact]
    public async Task Whatever_disks_servers_and_people_do_nothing_is_lost_doubled_wrongly_removed_or_untold()
    {
        await using var servers = await ModelServers.StartAsync();
        var tally = new WorldTally();
        await new Rounds(few: 16).PlayAsync(atOnce: 2, seed => new WorldRound(seed, servers, tally), _ => tally.AddRound(), tally.ToString);
    }
}
