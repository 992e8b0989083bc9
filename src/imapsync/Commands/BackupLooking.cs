using System.CommandLine;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.CommandLine.Commands;

/// <summary>Opens a backup for a command that reads it, and reports errors.</summary>
internal static class BackupLooking
{
    /// <returns>The exit status.</returns>
    public static async Task<int> RunAsync(
        BackupArguments arguments, ParseResult parsed, HostContext surroundings, Func<Backup, IMessageStore, Task<int>> look, CancellationToken stop)
    {
        var backup = await arguments.ReadAsync(parsed, surroundings, stop);
        try
        {
            await using var store = await BackupArguments.OpenAsync(backup, surroundings, stop);
            return await look(backup, store);
        }
        catch (MailException e)
        {
            await surroundings.Error.WriteLineAsync(TerminalText.Escape(e.Message));
            return ExitStatus.Of(e);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            await surroundings.Error.WriteLineAsync(TerminalText.Escape(FileErrors.Explain(e)));
            return ExitStatus.Failed;
        }
    }
}
