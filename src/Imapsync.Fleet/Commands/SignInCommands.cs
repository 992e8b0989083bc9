using System.CommandLine;
using Imapsync.Engine.SigningIn;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Serving;
using Imapsync.Fleet.SigningIn;

namespace Imapsync.Fleet.Commands;

/// <c>imapsync-fleet login | logout LIST ACCOUNT</c>: a person signs in to an account by OAuth 2, or signs out. The fleet keeps the
/// sign-in.
internal static class SignInCommands
{
    public static IEnumerable<Command> Create(TextWriter output, TextWriter error) =>
    [
        Create(
            "login", "Sign in to an account by OAuth 2, once: the fleet keeps the sign-in for its workers. Shows what to do, and waits until it is done.",
            (fleet, account, side, stop) => LogInAsync(fleet, account, side, output, error, stop)),
        Create(
            "logout", "Forget an account's sign-in, and revoke it where the provider has a way to.",
            (fleet, account, side, stop) => LogOutAsync(fleet, account, side, output, stop)),
    ];

    private static Command Create(string name, string purpose, Func<FleetClient, AccountView, string, CancellationToken, Task<bool>> act)
    {
        var command = new Command(name, purpose);
        var list = new Argument<string>("LIST") { Description = "The name of a list." };
        var account = new Argument<string>("ACCOUNT") { Description = "The name of an account of it." };
        var side = new Argument<string?>("SIDE") { Description = "source or target; each that a person has to sign in to where it is not given.", Arity = ArgumentArity.ZeroOrOne };
        side.AcceptOnlyFromAmong(SignIns.Source, SignIns.Target);
        command.Add(list);
        command.Add(account);
        command.Add(side);
        var client = new FleetClient.Options(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var fleet = client.Open(parsed);
            var batch = ActionCommands.Find(await fleet.GetAsync<List<BatchView>>("/api/batches", cancellationToken), parsed.GetValue(list)!);
            var found = await FindAsync(fleet, batch, parsed.GetValue(account)!, cancellationToken);
            var sides = (await fleet.GetAsync<List<SignInView>>($"/api/accounts/{found.Id}/sign-ins", cancellationToken)).Where(s => parsed.GetValue(side) is not { } wanted || s.Side == wanted).ToList();
            var isDone = true;
            foreach (var one in sides.Where(s => s.NeedsPerson))
                isDone &= await act(fleet, found, one.Side, cancellationToken);
            return !sides.Any(s => s.NeedsPerson) ? throw new FleetException($"nobody has to sign in there: no side of the account that was asked for has 'oauth' with grant device or code (docs/sign-in.md)") : isDone ? 0 : FleetCommandLine.Failed;
        });
        return command;
    }

    private static async Task<AccountView> FindAsync(FleetClient fleet, BatchView batch, string name, CancellationToken cancellationToken)
    {
        var query = $"/api/accounts?batch={batch.Id}&sort=name&limit=500&text={Uri.EscapeDataString(name)}";
        for (string? after = null; ;)
        {
            var page = await fleet.GetAsync<AccountsAnswer>(query + (after is null ? "" : "&after=" + Uri.EscapeDataString(after)), cancellationToken);
            if (page.Accounts.FirstOrDefault(a => a.Name == name) is { } found)
                return found;
            if ((after = page.Next) is null)
                throw new FleetException($"the list {FleetCommandLine.Plain(batch.Name)} has no account '{FleetCommandLine.Plain(name)}'");
        }
    }

    private static async Task<bool> LogInAsync(FleetClient fleet, AccountView account, string side, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        await error.WriteLineAsync($"The server of the fleet signs in to the {side} of {FleetCommandLine.Plain(account.Name)}; 'this machine' means that server.");
        await foreach (var happened in fleet.FollowAsync<SignInEvent>($"/api/accounts/{account.Id}/sign-ins/{side}", cancellationToken))
        {
            if (happened.Text is { } text)
            {
                await output.WriteLineAsync(FleetCommandLine.Plain(text));
                await output.FlushAsync(cancellationToken);
            }

            if (happened.Problem is { } problem)
            {
                await error.WriteLineAsync($"{side}: {FleetCommandLine.Plain(problem)}");
                return false;
            }

            if (!happened.IsSignedIn)
                continue;
            await output.WriteLineAsync($"{side}: signed in; the sign-in is kept, sealed, in the fleet's list.{(account.Status == AccountStatus.Failed ? " 'imapsync-fleet retry' runs the account again." : "")}");
            return true;
        }

        throw new FleetException("the server ended before anybody had signed in");
    }

    private static async Task<bool> LogOutAsync(FleetClient fleet, AccountView account, string side, TextWriter output, CancellationToken cancellationToken)
    {
        var answer = await fleet.DeleteAsync<SignOutAnswer>($"/api/accounts/{account.Id}/sign-ins/{side}", cancellationToken);
        await output.WriteLineAsync(answer.Outcome switch
        {
            SignOutOutcome.WasNotIn => $"{side}: nobody was signed in",
            SignOutOutcome.Revoked => $"{side}: the sign-in is forgotten, and revoked at the provider",
            _ => $"{side}: the sign-in is forgotten; at the provider it was not revoked: end it in the settings of the account there",
        });
        return true;
    }
}
