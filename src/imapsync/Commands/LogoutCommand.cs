using System.CommandLine;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.SigningIn;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync logout</c>: deletes a stored sign-in.</summary>
internal static class LogoutCommand
{
    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("logout", "Forget the sign-in of a job, and revoke it at the provider where that can be done from here.",
            ("imapsync logout jobs.yaml alice", "Forget the job's sign-ins."),
            ("imapsync logout jobs.yaml alice source", "Forget that of its source."));
        var arguments = new SignInArguments(command);
        command.SetAction((parsed, cancellationToken) => StopSignals.GuardAsync(
            surroundings.Time,
            (_, stop) => arguments.EachAsync(parsed, surroundings, async (side, signIn) =>
            {
                var text = await signIn.SignOutAsync(stop) switch
                {
                    SignOutOutcome.Revoked => $"signed out of {signIn.ProviderName}: the sign-in is revoked there and forgotten here.",
                    SignOutOutcome.Forgotten => $"the sign-in to {signIn.ProviderName} is forgotten here. {signIn.ProviderName} was not told: end it there, in the settings of the account, if it is to end at once.",
                    _ => "nobody was signed in.",
                };
                await surroundings.Out.WriteLineAsync(TerminalText.Escape($"{side}: {text}"));
            }, stop),
            cancellationToken));
        return command;
    }
}
