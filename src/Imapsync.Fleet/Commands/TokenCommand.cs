using System.CommandLine;
using Imapsync.Fleet.Serving;

namespace Imapsync.Fleet.Commands;

/// <summary>Runs <c>imapsync-fleet token</c>, which creates a token for a user.</summary>
internal static class TokenCommand
{
    public static Command Create(TextWriter output)
    {
        var command = new Command("token", "Make a token and print it, once. Its line in DATA/tokens is what counts: take it out, and the token is worth nothing.");
        var name = new Argument<string>("NAME") { Description = "Whose it is: letters, digits and . _ - alone." };
        var role = new Option<Role>("--role") { Description = "look, or operate: submit, pause, resume, cancel, retry.", DefaultValueFactory = _ => Role.Look };
        var data = FleetOptions.DataOption();
        command.Add(name);
        command.Add(role);
        command.Add(data);
        command.SetAction((parsed, _) =>
        {
            var who = parsed.GetValue(name)!;
            if (who.Length is 0 or > 100 || who.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-')))
                throw new FleetException("a token's NAME has letters, digits and . _ - alone");
            var directory = Path.GetFullPath(parsed.GetValue(data)!);
            if (!Directory.Exists(directory))
                throw new FleetException($"there is no directory {directory}; give the fleet's as --data");
            output.WriteLine(new Tokens(Path.Combine(directory, "tokens")).Add(who, parsed.GetValue(role)));
            return Task.FromResult(0);
        });
        return command;
    }
}
