using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Imapsync.CommandLine.Commands;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;

namespace Imapsync.CommandLine;

/// <summary>The root command with all commands, and the options and error handling they share.</summary>
internal static class CommandLineRoot
{
    private static readonly Func<HostContext, Command>[] Commands =
    [
        InitCommand.Create,
        RunCommand.Create,
        WatchCommand.Create,
        CopyCommand.Create,
        RestoreCommand.Create,
        CheckCommand.Create,
        FoldersCommand.Create,
        VerifyCommand.Create,
        SnapshotsCommand.Create,
        StatusCommand.Create,
        ReportCommand.Create,
        LoginCommand.Create,
        LogoutCommand.Create,
        ProvidersCommand.Create,
        SchemaCommand.Create,
        ServeCommand.Create,
        FindCommand.Create,
        ShowCommand.Create,
        ExportCommand.Create,
        CompletionCommand.Create,
        ManCommand.Create,
    ];

    /// <summary>The commands without trace options, since they don't communicate with mail servers.</summary>
    private static readonly Func<HostContext, Command>[] WithoutTrace =
        [SnapshotsCommand.Create, StatusCommand.Create, ReportCommand.Create, LoginCommand.Create, LogoutCommand.Create, CompletionCommand.Create, ManCommand.Create];

    public static RootCommand Build(HostContext surroundings)
    {
        var root = new RootCommand("Backs up and migrates mailboxes: every message once, byte for byte.");
        foreach (var create in Commands)
        {
            var command = create(surroundings);
            if (!WithoutTrace.Contains(create))
                TraceOptions.Add(command);
            root.Add(command);
        }

        foreach (var option in root.Options.OfType<HelpOption>())
        {
            option.Action = new HelpWithExamples(option, surroundings.Columns);
            // These aliases are Windows conventions; here they would only clutter the completion.
            option.Aliases.Remove("/h");
            option.Aliases.Remove("/?");
        }

        foreach (var option in root.Options.OfType<VersionOption>())
            option.Action = new PrintVersion(surroundings.Out);
        return root;
    }

    public static async Task<int> InvokeAsync(string[] args, HostContext surroundings)
    {
        // "imapsync help COMMAND" is accepted for "imapsync COMMAND --help", since many programs have a help command.
        var parsed = Build(surroundings).Parse(args is ["help", .. var words] ? [.. words, "--help"] : args);
        // A missing command is an error only when nothing else, such as --help or a directive, handles the command line.
        if (parsed.Errors.Count > 0 && parsed.Action is null or ParseErrorAction)
            return UsageErrors.Print(parsed, surroundings.Error);
        try
        {
            if (!await TraceOptions.TryOpenAsync(parsed, surroundings.Trace, surroundings.Error))
                return ExitStatus.Usage;
            // The library's signal handling is off, because the commands must first finish the messages that are being copied.
            return await parsed.InvokeAsync(
                new InvocationConfiguration
                {
                    Output = surroundings.Out,
                    Error = surroundings.Error,
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = null,
                },
                CancellationToken.None);
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

    private sealed class PrintVersion(TextWriter output) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            output.WriteLine($"imapsync {ProgramVersion.Text}");
            return ExitStatus.Ok;
        }
    }
}
