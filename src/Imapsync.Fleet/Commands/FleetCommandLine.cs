using System.CommandLine;
using System.Data.Common;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using Imapsync.Engine.Configuration;

namespace Imapsync.Fleet.Commands;

/// <summary>The program's commands. Exit status: 0 done, 1 failed, 2 wrong usage or a list that has mistakes.</summary>
internal static class FleetCommandLine
{
    public const int Failed = 1;
    public const int Usage = 2;

    public static RootCommand Build(TextWriter output, TextWriter error)
    {
        var root = new RootCommand("Moves and backs up many mailboxes: a durable list of accounts, shared by workers on one machine or many.")
        {
            ServeCommand.Create(output, error),
            WorkerCommand.Create(error),
            TokenCommand.Create(output),
            CheckCommand.Create(output, error),
            SubmitCommand.Create(output, error),
            StatusCommand.Create(output),
            DeleteCommand.Create(output),
        };
        foreach (var command in ActionCommands.Create(output).Concat(SignInCommands.Create(output, error)))
            root.Add(command);
        return root;
    }

    public static async Task<int> InvokeAsync(IReadOnlyList<string> args, TextWriter output, TextWriter error)
    {
        var parsed = Build(output, error).Parse(args);
        if (parsed.Errors.Count > 0 && parsed.Action is null or System.CommandLine.Invocation.ParseErrorAction)
        {
            foreach (var mistake in parsed.Errors)
                await error.WriteLineAsync(mistake.Message);
            await error.WriteLineAsync("See 'imapsync-fleet --help'.");
            return Usage;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (ConfigurationException e)
        {
            foreach (var mistake in e.Errors)
                await error.WriteLineAsync(mistake.ToString());
            return Usage;
        }
        catch (Exception e) when (e is FleetException or HttpRequestException or DbException or SocketException or IOException or UnauthorizedAccessException or InvalidOperationException
            or OperationCanceledException or JsonException or CryptographicException)
        {
            await error.WriteLineAsync(e.Message);
            return Failed;
        }
    }

    /// <summary>Replaces control characters, so that text from outside can't move the terminal's cursor.</summary>
    public static string Plain(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}

/// <summary>An error with a message for people that says what to do about it.</summary>
internal sealed class FleetException(string message) : Exception(message);
