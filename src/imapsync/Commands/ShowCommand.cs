using System.CommandLine;
using System.Text;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Mail;
using Imapsync.Serving.Finding;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync show</c>: prints messages of a backup, escaped for a terminal. It changes nothing.</summary>
internal static class ShowCommand
{
    private const int MostTextBytes = 4 << 20;

    private static readonly string[] Usual = ["Date", "From", "To", "Cc", "Subject"];

    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("show", "Print a message of a backup: header, text, names of attached files. Changes nothing.",
            ("imapsync show jobs.yaml alice INBOX:1700000000.12", "The message of that identifier, which imapsync find prints."),
            ("imapsync show jobs.yaml alice INBOX:1700000000.12 --headers", "With every field of its header."));
        var arguments = new BackupArguments(command, "ID", "Behind it identifiers of messages, as imapsync find prints them.");
        var headers = new Option<bool>("--headers") { Description = "Print every field of the header." };
        command.Add(headers);
        command.SetAction((parsed, cancellationToken) => StopSignals.GuardAsync(surroundings.Time, (_, stop) =>
        {
            var ids = MessageIds.Read(arguments.Rest(parsed));
            return BackupLooking.RunAsync(arguments, parsed, surroundings, async (_, store) =>
            {
                foreach (var id in ids)
                    Print(await new BackupReader(store).ShowAsync(id, MostTextBytes, stop), parsed.GetValue(headers), surroundings.Out);
                return ExitStatus.Ok;
            }, stop);
        }, cancellationToken));
        return command;
    }

    private static void Print(ShownMessage shown, bool allHeaders, TextWriter output)
    {
        var fields = shown.Headers.Where(h => allHeaders || Usual.Contains(h.Name, StringComparer.OrdinalIgnoreCase));
        foreach (var (name, value) in allHeaders ? fields : fields.OrderBy(h => Array.FindIndex(Usual, u => u.Equals(h.Name, StringComparison.OrdinalIgnoreCase))))
            output.WriteLine($"{TerminalText.Escape(name)}: {Whole(value)}");
        output.WriteLine($"Id: {TerminalText.Escape(shown.Message.Id.ToString())}");
        foreach (var (title, type, bytes) in shown.Attachments)
            output.WriteLine($"Attached: {TerminalText.Escape(title)} ({TerminalText.Escape(type)}, {Quantities.Octets(bytes)} as sent)");
        output.WriteLine();
        foreach (var text in shown.Texts)
        {
            foreach (var line in text.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n'))
                output.WriteLine(Whole(line.Replace("\t", "    ", StringComparison.Ordinal)));
        }

        if (shown.IsCut)
            output.WriteLine("(there is more; imapsync export --eml writes all of it)");
    }

    /// <summary>Escapes a line for a terminal, however long it is, since a text converted from HTML may be a single line.</summary>
    private static string Whole(string line)
    {
        const int together = 1000;
        var safe = new StringBuilder(line.Length);
        for (var (at, length) = (0, 0); at < line.Length; at += length)
        {
            length = Math.Min(together, line.Length - at);
            // A part must not end between the two halves of a surrogate pair.
            if (at + length < line.Length && char.IsHighSurrogate(line[at + length - 1]))
                length--;
            safe.Append(TerminalText.Escape(line.Substring(at, length)));
        }

        return safe.ToString();
    }
}

/// <summary>Parses message identifiers from a command line.</summary>
internal static class MessageIds
{
    /// <exception cref="ConfigurationException">An identifier is invalid, or none was given.</exception>
    public static IReadOnlyList<MessageAddress> Read(IReadOnlyList<string> texts)
    {
        var errors = new List<ConfigurationError>();
        var ids = new List<MessageAddress>();
        foreach (var text in texts)
        {
            if (MessageAddress.TryParse(text, out var id))
                ids.Add(id);
            else
                errors.Add(new ConfigurationError(new SettingOrigin("ID"), $"'{text}' names no message", "write it as imapsync find prints it: FOLDER:NUMBER.NUMBER"));
        }

        if (texts.Count == 0)
            errors.Add(new ConfigurationError(new SettingOrigin("ID"), "no message is named", "give identifiers that imapsync find printed"));
        return errors.Count > 0 ? throw new ConfigurationException(errors) : ids;
    }
}
