using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Imapsync.CommandLine;

/// <summary>A command that shows how it is used.</summary>
/// <param name="examples">Command lines, each with what it does.</param>
internal sealed class ExampleCommand(string name, string description, params (string Line, string Purpose)[] examples)
    : Command(name, description)
{
    public IReadOnlyList<(string Line, string Purpose)> Examples { get; } = examples;
}

/// <summary>The library's help, followed by the command's examples.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var status = help.Invoke(parseResult);
        var command = parseResult.CommandResult.Command;
        var examples = command is ExampleCommand one
            ? one.Examples
            : [.. command.Subcommands.OfType<ExampleCommand>().Select(c => c.Examples[0])];
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (var (line, purpose) in examples)
            output.WriteLine($"  {line}\n      {purpose}");
        output.WriteLine();
        if (command is RootCommand)
            output.WriteLine("Exit status: 0 all in place, 1 failed, 2 usage or configuration, 3 something is not in place,\n  10 locked, 11 cannot connect, 12 log-in refused, 13 deletion limit, 130/143 interrupted.\n");
        return status;
    }
}
