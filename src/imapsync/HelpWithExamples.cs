using System.CommandLine;
using System.CommandLine.Invocation;
using System.Globalization;

namespace Imapsync.CommandLine;

/// <summary>A command with usage examples.</summary>
/// <param name="examples">Example command lines, each with an explanation.</param>
internal sealed class ExampleCommand(string name, string description, params (string Line, string Purpose)[] examples)
    : Command(name, description)
{
    public IReadOnlyList<(string Line, string Purpose)> Examples { get; } = examples;
}

/// <summary>Prints the help of a command and its examples, in the width of the screen.</summary>
/// <param name="option">The help option. With <c>-h</c> the help is short: options below a heading are only named.</param>
/// <param name="columns">The width of the screen in columns.</param>
internal sealed class HelpWithExamples(Option option, int columns) : SynchronousCommandLineAction
{
    /// <summary>The most columns of the help, even on a wider screen, because long lines are hard to read.</summary>
    private const int Widest = 100;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var command = parseResult.CommandResult.Command;
        var width = Math.Clamp(columns, 40, Widest);
        var output = parseResult.InvocationConfiguration.Output;
        var isShort = parseResult.GetResult(option)?.IdentifierToken?.Value != option.Name;
        foreach (var line in HelpText.Lines(command, command is RootCommand ? "imapsync" : $"imapsync {command.Name}", width, isShort))
            output.WriteLine(line);
        output.WriteLine("Examples:");
        foreach (var (line, purpose) in ExamplesOf(command))
        {
            // A command line stays on one line, so that it can be copied.
            output.WriteLine($"  {line}");
            foreach (var words in HelpText.Wrap(purpose, 6, width))
                output.WriteLine(words);
        }

        if (command is RootCommand)
        {
            output.WriteLine();
            foreach (var line in HelpText.Section("Exit status", ExitStatus.Meanings.Select(m => (m.Status.ToString(CultureInfo.InvariantCulture), m.Meaning)), width))
                output.WriteLine(line);
            output.WriteLine("'imapsync COMMAND --help' shows a command's options and more examples, -h the same in short.");
        }

        return ExitStatus.Ok;
    }

    /// <summary>Returns the command's examples; for the program itself, one example of each command that most people use first.</summary>
    private static IEnumerable<(string Line, string Purpose)> ExamplesOf(Command command) => command is ExampleCommand one
        ? one.Examples
        : command.Subcommands.OfType<ExampleCommand>().Where(c => c.Name is "init" or "run" or "copy" or "verify" or "restore").Select(c => c.Examples[0]);
}
