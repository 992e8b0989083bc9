using System.CommandLine;
using System.CommandLine.Help;
using Imapsync.CommandLine.Commands;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Jobs;

namespace Imapsync.CommandLine;

/// <summary>The commands there are, a line each, and what holds for all of them.</summary>
internal static class CommandLineRoot
{
    private static readonly Entry[] Commands =
    [
        new("run", RunCommand.Create),
        new("copy", CopyCommand.Create),
        new("restore", RestoreCommand.Create),
        new("check", CheckCommand.Create),
        new("folders", FoldersCommand.Create),
        new("verify", VerifyCommand.Create),
        new("completion", CompletionCommand.Create),
    ];

    private static RootCommand Build(IReadOnlyList<string> args, Surroundings surroundings)
    {
        var root = new RootCommand("Backs up and migrates mailboxes: every message once, octet for octet.");
        // A command that is called by its name needs no other; what the others are made of would have to be loaded.
        var called = Array.Find(Commands, c => args.Count > 0 && c.Name == args[0]);
        foreach (var command in called is null ? Commands : [called])
            root.Add(command.Create(surroundings));
        foreach (var option in root.Options.OfType<HelpOption>())
        {
            option.Action = new HelpWithExamples((HelpAction)option.Action!);
            // Windows' forms; here they only clutter completion.
            option.Aliases.Remove("/h");
            option.Aliases.Remove("/?");
        }

        return root;
    }

    public static async Task<int> InvokeAsync(IReadOnlyList<string> args, Surroundings surroundings)
    {
        var parsed = Build(args, surroundings).Parse(args);
        // A command that is missing is an error only where nothing else (--help, a directive) answers.
        if (parsed.Errors.Count > 0 && parsed.Action is null or System.CommandLine.Invocation.ParseErrorAction)
            return UsageErrors.Print(parsed, surroundings.Error);
        try
        {
            // Signals belong to the commands: a run has to finish its window.
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                Output = surroundings.Out,
                Error = surroundings.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
        }
        catch (ConfigurationException e)
        {
            foreach (var error in e.Errors)
                await surroundings.Error.WriteLineAsync(TerminalText.Escape(error.ToString()));
            return ExitStatus.Usage;
        }
        catch (Exception e)
        {
            await surroundings.Error.WriteLineAsync("This is a defect of imapsync, please report it:");
            await surroundings.Error.WriteLineAsync(string.Join('\n', e.ToString().Split('\n').Select(TerminalText.Escape)));
            return ExitStatus.Failed;
        }
    }

    /// <param name="Name">That of the command it creates.</param>
    private sealed record Entry(string Name, Func<Surroundings, Command> Create);
}
