using System.Globalization;
using System.Text;

namespace Imapsync.Bench.Contenders;

/// <summary>
/// mbsync (from isync). It copies everything from the source with its own pipelining and, like the other contenders, keeps arrival dates.
/// </summary>
/// <param name="directory">The directory for its configuration files.</param>
/// <param name="isDurable">Whether to sync files to disk before they count as stored, which has no effect on a file system in memory.</param>
/// <param name="parallel">The number of processes to run at once for several mailboxes, because mbsync itself has no parallelism.</param>
/// <param name="eachAlone">
/// Whether each mailbox gets a process of its own. A process for several mailboxes keeps all their connections open until it ends.
/// </param>
internal sealed class MbsyncContender(string directory, bool isDurable = false, int parallel = 1, bool eachAlone = false) : IContender
{
    public string Name => eachAlone ? "mbsync-each" : "mbsync";

    public bool Can(Transfer transfer) => transfer.Source.MbsyncStore("far") is not null && transfer.Target.MbsyncStore("near") is not null;

    public async Task<Measurement> RunAsync(IReadOnlyList<Transfer> transfers)
    {
        var text = new StringBuilder($"FSync {(isDurable ? "yes" : "no")}\n\n");
        foreach (var transfer in transfers)
        {
            Directory.CreateDirectory(transfer.StateDirectory);
            text.Append(transfer.Source.MbsyncStore("far-" + transfer.Name)).Append(transfer.Target.MbsyncStore("near-" + transfer.Name));
            text.Append(CultureInfo.InvariantCulture, $"""
                Channel {transfer.Name}
                Far :far-{transfer.Name}:
                Near :near-{transfer.Name}:
                Patterns *
                Create Near
                Expunge None
                Sync Pull
                CopyArrivalDate yes
                SyncState {(transfer.Target is MaildirPlace ? "*" : transfer.StateDirectory + "/")}


                """);
        }

        var file = Path.Combine(directory, $"mbsyncrc-{transfers[0].Name}");
        await File.WriteAllTextAsync(file, text.ToString());
        if (transfers.Count == 1)
            return await Measurement.OfProcessAsync(directory, "mbsync", "-q", "-c", file, transfers[0].Name);
        var names = Path.Combine(directory, "channels");
        await File.WriteAllLinesAsync(names, transfers.Select(t => t.Name));
        return await Measurement.OfProcessAsync(directory, "xargs", "-a", names, "-P", $"{parallel}", "-n", $"{(eachAlone ? 1 : Math.Max(1, transfers.Count / parallel))}", "mbsync", "-q", "-c", file);
    }
}
