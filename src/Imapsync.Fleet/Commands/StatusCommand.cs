using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Serving;

namespace Imapsync.Fleet.Commands;

/// <summary>Runs <c>imapsync-fleet status</c>, which shows the status of all lists, or of the accounts of one list.</summary>
internal static class StatusCommand
{
    public static Command Create(TextWriter output)
    {
        var command = new Command("status", "Show how the lists stand, or the accounts of one.");
        var list = new Argument<string?>("LIST") { Description = "The name of a list: its accounts are shown.", Arity = ArgumentArity.ZeroOrOne };
        var statuses = new Option<AccountStatus[]>("--only") { Description = "Accounts that stand so: due, ready, running, paused, done, incomplete, failed, cancelled.", HelpName = "STATUS" };
        var json = new Option<bool>("--json") { Description = "As JSON." };
        command.Add(list);
        command.Add(statuses);
        command.Add(json);
        var client = new FleetClient.Options(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var fleet = client.Open(parsed);
            var batches = await fleet.GetAsync<List<BatchView>>("/api/batches", cancellationToken);
            if (parsed.GetValue(list) is not { } wanted)
            {
                if (parsed.GetValue(json))
                    await output.WriteLineAsync(JsonSerializer.Serialize(batches, FleetServer.Json));
                else
                    batches.ForEach(b => output.WriteLine(LineOf(b)));
                return 0;
            }

            var query = $"/api/accounts?batch={ActionCommands.Find(batches, wanted).Id}&limit=500{string.Concat((parsed.GetValue(statuses) ?? []).Select(s => $"&status={s}"))}";
            string? after = null;
            do
            {
                var page = await fleet.GetAsync<AccountsAnswer>(query + (after is null ? "" : "&after=" + Uri.EscapeDataString(after)), cancellationToken);
                foreach (var account in page.Accounts)
                    await output.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(account, FleetServer.Json) : LineOf(account));
                after = page.Next;
            }
            while (after is not null);
            return 0;
        });
        return command;
    }

    private static string LineOf(BatchView batch) => string.Create(
        CultureInfo.InvariantCulture,
        $"{FleetCommandLine.Plain(batch.Name)}: {string.Join(", ", batch.Counts.OrderBy(c => c.Key).Select(c => $"{c.Value} {c.Key.ToString().ToLowerInvariant()}"))}; {batch.Copied} messages copied{(batch.IsPaused ? "; paused" : "")}");

    private static string LineOf(AccountView account) => string.Create(
        CultureInfo.InvariantCulture, $"{account.Status.ToString().ToLowerInvariant(),-10} {FleetCommandLine.Plain(account.Name)}: {account.Copied} of {account.Planned} messages{(account.Problem is { } problem ? "; " + FleetCommandLine.Plain(problem) : "")}");
}
