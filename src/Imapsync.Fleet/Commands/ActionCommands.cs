using System.CommandLine;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Serving;

namespace Imapsync.Fleet.Commands;

/// <c>imapsync-fleet pause | resume | cancel | retry LIST</c>: pauses, resumes, cancels or reruns a list's accounts.
internal static class ActionCommands
{
    private static readonly (string Name, AccountAction Action, string Purpose)[] Commands =
    [
        ("pause", AccountAction.Pause, "Begin no more accounts of a list; those at work finish what is in hand and wait."),
        ("resume", AccountAction.Resume, "Go on with what was paused."),
        ("cancel", AccountAction.Cancel, "Give up accounts of a list that have not ended; what was copied stays."),
        ("retry", AccountAction.Retry, "Run accounts of a list again that have ended, whatever came of them."),
    ];

    public static IEnumerable<Command> Create(TextWriter output) => Commands.Select(c => Create(c.Name, c.Action, c.Purpose, output));

    public static BatchView Find(IReadOnlyList<BatchView> batches, string name) =>
        batches.FirstOrDefault(b => b.Name == name) ?? throw new FleetException($"there is no list '{name}'; there are: {string.Join(", ", batches.Take(20).Select(b => b.Name))}");

    private static Command Create(string name, AccountAction action, string purpose, TextWriter output)
    {
        var command = new Command(name, purpose);
        var list = new Argument<string>("LIST") { Description = "The name of a list." };
        var statuses = new Option<AccountStatus[]>("--only") { Description = "Only accounts that stand so.", HelpName = "STATUS" };
        var text = new Option<string>("--matching") { Description = "Only accounts with this text in their name, source or target.", HelpName = "TEXT" };
        command.Add(list);
        command.Add(statuses);
        command.Add(text);
        var client = new FleetClient.Options(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var fleet = client.Open(parsed);
            var batch = Find(await fleet.GetAsync<List<BatchView>>("/api/batches", cancellationToken), parsed.GetValue(list)!);
            var answer = await fleet.PostAsync<ActionAnswer>("/api/actions", new ActionRequest(action, batch.Id, parsed.GetValue(statuses), parsed.GetValue(text), null), cancellationToken);
            await output.WriteLineAsync($"{answer.Accounts} accounts");
            return 0;
        });
        return command;
    }
}
