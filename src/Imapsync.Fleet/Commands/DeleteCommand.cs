using System.CommandLine;
using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Commands;

/// <summary><c>imapsync-fleet delete LIST</c>: removes a list and its accounts from the fleet.</summary>
internal static class DeleteCommand
{
    public static Command Create(TextWriter output)
    {
        var command = new Command("delete", "Remove a list with its accounts, reports and the state of their jobs; mail stays where it is. Refused while accounts of it are at work.");
        var list = new Argument<string>("LIST") { Description = "The name of a list." };
        command.Add(list);
        var client = new FleetClient.Options(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var fleet = client.Open(parsed);
            var batch = ActionCommands.Find(await fleet.GetAsync<List<BatchView>>("/api/batches", cancellationToken), parsed.GetValue(list)!);
            await fleet.DeleteAsync($"/api/batches/{batch.Id}", cancellationToken);
            await output.WriteLineAsync($"{FleetCommandLine.Plain(batch.Name)}: {batch.Counts.Values.Sum()} accounts removed");
            return 0;
        });
        return command;
    }
}
