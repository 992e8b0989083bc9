using System.CommandLine;

namespace Imapsync.CommandLine.Commands;

/// <summary>The options that all commands that copy mail share.</summary>
internal sealed class RunningOptions
{
    private readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be done, change nothing." };
    private readonly Option<string> report = new("--report") { Description = "Write what was done to this file, as JSON, also when the run fails.", HelpName = "FILE" };

    private readonly LogOptions log;

    public RunningOptions(Command command)
    {
        command.Add(dryRun);
        command.Add(report);
        log = new LogOptions(command);
    }

    public JobRunning Read(ParseResult parsed, bool isJson, int parallel = 1) => new(parsed.GetValue(dryRun), parsed.GetValue(report), isJson, parallel) { Log = log.Read(parsed) };
}
