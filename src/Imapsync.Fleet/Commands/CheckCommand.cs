using System.CommandLine;
using System.Globalization;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Preflights;

namespace Imapsync.Fleet.Commands;

/// <c>imapsync-fleet check</c>: the server signs in to source and target of each row of a list, to find rows that can't be run.
internal static class CheckCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var command = new Command("check", "Have the server sign in to both sides of each row, as the run will, and say what stands in the way. Takes nothing in.");
        var file = new Argument<string?>("FILE") { Description = "The job file; none with --submitted.", Arity = ArgumentArity.ZeroOrOne };
        var submitted = new Option<string>("--submitted") { Description = "Check a list that was submitted, by its rows as they were taken in.", HelpName = "LIST" };
        var accounts = new Option<string>("--accounts") { Description = "The CSV file, where it is not the one that 'for_each' names.", HelpName = "FILE" };
        var sizes = new Option<bool>("--sizes") { Description = "Also add up the sizes of messages, and hold them against the target's quota (slower)." };
        var parallel = ParallelOption();
        var csv = new Option<string>("--csv") { Description = "Write the rows with their results to this file, without passwords.", HelpName = "FILE" };
        command.Add(file);
        foreach (var option in new Option[] { submitted, accounts, sizes, parallel, csv })
            command.Add(option);
        command.Validators.Add(given =>
        {
            if (given.GetValue(file) is null == given.GetValue(submitted) is null)
                given.AddError("Give a job file, or --submitted LIST.");
        });
        var client = new FleetClient.Options(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var fleet = client.Open(parsed);
            var atOnce = parsed.GetValue(parallel);
            PreflightView check;
            if (parsed.GetValue(submitted) is { } name)
            {
                var batch = ActionCommands.Find(await fleet.GetAsync<List<BatchView>>("/api/batches", cancellationToken), name);
                check = await fleet.PostAsync<PreflightView>($"/api/batches/{batch.Id}/preflights", new BatchPreflight(parsed.GetValue(sizes), atOnce), cancellationToken);
            }
            else
            {
                using var form = await SubmitCommand.FormAsync(parsed.GetValue(file)!, parsed.GetValue(accounts), cancellationToken);
                form.Add(new StringContent(parsed.GetValue(sizes) ? "true" : ""), "sizes");
                form.Add(new StringContent(atOnce.ToString(CultureInfo.InvariantCulture)), "parallel");
                check = await fleet.PostFormAsync<PreflightView>("/api/preflights", form, cancellationToken);
            }

            check = await FollowAsync(fleet, check, atOnce, output, error, cancellationToken);
            if (parsed.GetValue(csv) is { } path)
                await File.WriteAllBytesAsync(path, await fleet.GetBytesAsync($"/api/preflights/{check.Id}/results.csv", cancellationToken), cancellationToken);
            return check.Checked == check.Rows && check.Failed == 0 ? 0 : FleetCommandLine.Failed;
        });
        return command;
    }

    public static Option<int> ParallelOption() => new("--parallel") { Description = "Rows that are checked at once.", HelpName = "N", DefaultValueFactory = _ => 8 };

    /// <summary>
    /// Waits until a preflight (the check of a list of accounts) has ended, and writes its progress. At the end writes which rows can't be
    /// run and how much is to be copied.
    /// </summary>
    /// <param name="atOnce">How many rows are checked at once.</param>
    /// <returns>The preflight in its final state.</returns>
    public static async Task<PreflightView> FollowAsync(FleetClient fleet, PreflightView check, int atOnce, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        await error.WriteLineAsync($"preflight {check.Id}: it goes on at the server without this command");
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), TimeProvider.System);
        for (var told = -1; check.State == PreflightState.Running; check = await fleet.GetAsync<PreflightView>($"/api/preflights/{check.Id}", cancellationToken))
        {
            if (check.Checked != told)
                await error.WriteLineAsync($"{told = check.Checked} of {check.Rows} checked, {check.Failed} failed");
            await timer.WaitForNextTickAsync(cancellationToken);
        }

        for (var after = 0; await fleet.GetAsync<PreflightRow[]>($"/api/preflights/{check.Id}/rows?result=failed&limit=500&after={after}", cancellationToken) is { Length: > 0 } rows; after = rows[^1].Number)
        {
            foreach (var row in rows)
                await output.WriteLineAsync($"line {row.Line}, {(row.Name.Length > 0 ? FleetCommandLine.Plain(row.Name) : "no account")}: {FleetCommandLine.Plain(row.Reason)}");
        }

        if (check is { Problem: { } problem, Batch: null } && check.Checked < check.Rows)
            await error.WriteLineAsync(FleetCommandLine.Plain(problem));
        var left = check.OctetsLeft is { } octets ? $" ({octets} octets)" : "";
        await output.WriteLineAsync($"{check.Checked - check.Failed} of {check.Rows} can be run; messages to be copied: {check.MessagesLeft}{left}, with {atOnce} at once in about {TimeSpan.FromSeconds(Math.Ceiling(check.EstimatedSeconds ?? 0)):c}");
        return check;
    }
}
