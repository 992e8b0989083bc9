using System.CommandLine;
using Imapsync.Fleet.Working;

namespace Imapsync.Fleet.Commands;

/// <summary>Runs <c>imapsync-fleet worker</c>: one of several workers that together run the accounts stored in PostgreSQL.</summary>
internal static class WorkerCommand
{
    public static Command Create(TextWriter error)
    {
        var command = new Command("worker", "Work on the list in PostgreSQL, beside others on this machine or elsewhere. SIGTERM finishes what is in hand and gives accounts back.");
        var options = new FleetOptions(command);
        command.SetAction(async (parsed, _) =>
        {
            if (options.SlotsOf(parsed) == 0)
                throw new FleetException("--slots must be at least 1 for a worker");
            using var signals = new StopSignals();
            using var logging = LoggerFactory.Create(l => l.AddSimpleConsole(o => o.SingleLine = true));
            await using var store = await options.OpenStoreAsync(parsed, isShared: true, signals.Token);
            await using var worker = options.WorkerOf(parsed, store, options.ReaderOf(parsed), logging.CreateLogger<FleetWorker>());
            await worker.StartAsync(signals.Token);
            await error.WriteLineAsync($"Working on {store.Display}. Ctrl-C finishes what is in hand.");
            await signals.WaitAsync();
            await worker.DrainAsync();
            return 0;
        });
        return command;
    }
}
