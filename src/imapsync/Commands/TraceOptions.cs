using System.CommandLine;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Files;

namespace Imapsync.CommandLine.Commands;

/// <summary>The trace options, which every command that connects to servers has.</summary>
internal static class TraceOptions
{
    public const string Verbose = "--verbose";

    private const string File = "--trace";

    public static void Add(Command command)
    {
        command.Add(new Option<string>(File) { Description = "Add the conversation with each server to this file, without secrets and message texts.", HelpName = "FILE" });
        command.Add(new Option<bool>(Verbose, "-v") { Description = "Show each command and how long it took; -vv shows each line.", Arity = ArgumentArity.Zero });
    }

    /// <summary>Opens the requested trace. Returns false, after reporting the error, when it can't be opened.</summary>
    public static async Task<bool> TryOpenAsync(ParseResult parsed, TraceLog trace, TextWriter error)
    {
        var path = (parsed.GetResult(File) as System.CommandLine.Parsing.OptionResult)?.GetValueOrDefault<string>();
        var verbosity = (parsed.GetResult(Verbose) as System.CommandLine.Parsing.OptionResult)?.IdentifierTokenCount ?? 0;
        try
        {
            trace.Open(path, verbosity, error);
            return true;
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            await error.WriteLineAsync(TerminalText.Escape($"--trace {path}: {FileErrors.Explain(e)}"));
            return false;
        }
    }
}
