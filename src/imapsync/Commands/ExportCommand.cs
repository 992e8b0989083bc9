using System.CommandLine;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Serving.Finding;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync export</c>: writes messages of a backup, or their attachments, to individual files. It never replaces a file.</summary>
internal static class ExportCommand
{
    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("export", "Write messages of a backup, or the files attached to them, to files. No file is replaced, the backup is only read.",
            ("imapsync export jobs.yaml alice INBOX:1700000000.12 --eml mails", "The message as it is, octet for octet, for any mail program."),
            ("imapsync export jobs.yaml alice INBOX:1700000000.12 --attachments files", "What is attached to it."),
            ("imapsync export jobs.yaml alice INBOX:1700000000.12 INBOX:1700000000.15 --mbox found.mbox", "Several messages as one mbox file."));
        var arguments = new BackupArguments(command, "ID", "Behind it identifiers of messages, as imapsync find prints them.");
        var eml = new Option<string>("--eml") { Description = "Write each message to a file in this directory.", HelpName = "DIR" };
        var attachments = new Option<string>("--attachments") { Description = "Write each attached file into this directory.", HelpName = "DIR" };
        var mbox = new Option<string>("--mbox") { Description = "Write the messages to this file, a new mbox.", HelpName = "FILE" };
        foreach (var option in new Option[] { eml, attachments, mbox })
            command.Add(option);
        command.SetAction((parsed, cancellationToken) => StopSignals.GuardAsync(surroundings.Time, (_, stop) =>
        {
            var ids = MessageIds.Read(arguments.Rest(parsed));
            var ways = new[] { eml, attachments, mbox }.Count(o => parsed.GetValue(o) is not null);
            if (ways != 1)
                throw new ConfigurationException([new ConfigurationError(new SettingOrigin("command line"), "where to is not clear", "give one of --eml DIR, --attachments DIR and --mbox FILE")]);
            return BackupLooking.RunAsync(arguments, parsed, surroundings, async (_, store) =>
            {
                var export = new MessageExport(new BackupReader(store), written => surroundings.Out.WriteLine(TerminalText.Escape(written)));
                if (parsed.GetValue(eml) is { } messages)
                    await export.WriteMessagesAsync(ids, messages, stop);
                else if (parsed.GetValue(attachments) is { } files)
                    await export.WriteAttachmentsAsync(ids, files, stop);
                else
                    await export.WriteMboxAsync(ids, parsed.GetRequiredValue(mbox), stop);
                return ExitStatus.Ok;
            }, stop);
        }, cancellationToken));
        return command;
    }
}
