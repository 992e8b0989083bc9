using Imapsync.Engine.Checking;

namespace Imapsync.CommandLine.Output;

/// <summary>The result of <c>check</c> as text, not yet escaped for a terminal.</summary>
internal static class CheckText
{
    /// <summary>The most jobs that are shown in detail; with more jobs each gets a single line.</summary>
    private const int MaxWhole = 20;

    public static int StatusOf(AccountCheck check) => ExitStatus.Worst(
    [
        check.Source.Failure is { } source ? ExitStatus.Of(source) : ExitStatus.Ok,
        check.Target.Failure is { } target ? ExitStatus.Of(target) : ExitStatus.Ok,
        check.Problems.Count > 0 ? ExitStatus.Incomplete : ExitStatus.Ok,
    ]);

    public static string Size(MailboxSize size)
    {
        var bytes = size.Bytes is { } all ? $", {Quantities.Octets(all)}" : "";
        var left = size.BytesLeft is { } rest ? $" ({Quantities.Octets(rest)})" : "";
        var uncounted = size.Uncounted > 0 ? $"; in no sum, since nothing tells their messages: {Quantities.Count(size.Uncounted, "folder")}" : "";
        var unsized = size.Unsized > 0 ? $"; of unknown size: {Quantities.Count(size.Unsized, "message")}" : "";
        return $"{Quantities.Count(size.Folders, "folder")}, {Quantities.Count(size.Messages, "message")}{bytes}, to be copied: {Quantities.Count(size.MessagesLeft)}{left}{uncounted}{unsized}";
    }

    /// <param name="isWhole">Whether each fact is printed with all its details instead of only what most people need.</param>
    public static void Print(IReadOnlyList<AccountCheck> checks, bool isWhole, TextWriter output)
    {
        foreach (var check in checks)
        {
            if (checks.Count <= MaxWhole)
                PrintWhole(check, isWhole, output);
            else
                output.WriteLine(TerminalText.Escape($"{check.Job}  {(check.IsOk ? "ok" : "FAILED")}  {(check.IsOk && check.Size is { } size ? Size(size) : check.Reason)}"));
        }
    }

    /// <summary>Prints a line for each job that can't be run.</summary>
    public static void PrintProblems(IEnumerable<AccountCheck> checks, TextWriter output)
    {
        foreach (var check in checks.Where(c => StatusOf(c) != ExitStatus.Ok))
            output.WriteLine(TerminalText.Escape($"{check.Job}  FAILED  {check.Reason}"));
    }

    private static void PrintWhole(AccountCheck check, bool isWhole, TextWriter output)
    {
        output.WriteLine(check.Job);
        foreach (var (name, side) in new[] { ("source", check.Source), ("target", check.Target) })
        {
            output.WriteLine($"  {name}  {TerminalText.Escape(side.Endpoint.Display)}  {(side.Failure is null ? "ok" : "FAILED")}");
            if (side.Failure is { } failure)
                output.WriteLine($"    {TerminalText.Escape(failure.Message)}");
            foreach (var fact in side.Facts)
                output.WriteLine($"    {(fact.IsWarning ? "! " : "  ")}{TerminalText.Escape(fact.Name)}: {TerminalText.Escape(fact.Brief is { } brief && !isWhole ? $"{brief} (all with -v)" : fact.Value)}");
        }

        if (check.Size is { } size)
            output.WriteLine($"  mail    {Size(size)}");
        foreach (var problem in check.Problems)
            output.WriteLine($"    FAILED {TerminalText.Escape(problem)}");
    }
}
