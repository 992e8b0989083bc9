using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Serving.Finding;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync find</c>: searches for messages in a backup. It changes nothing.</summary>
internal static class FindCommand
{
    private const int ProgressEvery = 500;

    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("find", "Find messages in a backup, the last received first. Changes nothing.",
            ("imapsync find jobs.yaml alice invoice --from bob --since 2024-01-01", "By words anywhere, by sender and by date."),
            ("imapsync find jobs.yaml alice --subject 'Grüße' --has attachment --limit 10", "By subject, whatever its encoding; with a file attached."),
            ("imapsync find maildir:/var/backups/mail/alice --folder 'Lists/**' --output ids", "Identifiers alone, for show, export and restore --id."));
        var arguments = new BackupArguments(command, "WORD", "Behind it words, all of which stand in the subject, an address, a file's name or the text, in any case and encoding.");
        var options = new Options();
        foreach (var option in options.All)
            command.Add(option);
        command.SetAction((parsed, cancellationToken) => StopSignals.GuardAsync(
            surroundings.Time, (_, stop) => RunAsync(parsed, arguments, options, surroundings, stop), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, BackupArguments arguments, Options options, HostContext surroundings, CancellationToken stop)
    {
        var query = options.Read(parsed, arguments.Rest(parsed));
        var limit = parsed.GetValue(options.Limit) ?? int.MaxValue;
        var output = parsed.GetValue(options.Output);
        return await BackupLooking.RunAsync(arguments, parsed, surroundings, async (backup, store) =>
        {
            var (found, unread) = (0, 0);
            void Progress(long done, long all)
            {
                if (surroundings.IsLive && done > 0 && (done % ProgressEvery == 0 || done == all))
                    surroundings.Error.Write(done == all ? "\r\x1b[K" : $"\r\x1b[K{done} of {all} messages looked at, {found} found");
            }

            void Unread(MessageAddress id, string why)
            {
                unread++;
                surroundings.Error.WriteLine(TerminalText.Escape($"not read: {id}: {why}"));
            }

            using var index = backup.Index is { } directory ? new BackupIndex(directory, n => surroundings.Error.WriteLine(TerminalText.Escape($"note: {n}"))) : null;
            await foreach (var message in new BackupFinder(store, Progress, Unread, index: index).FindAsync(query, stop))
            {
                found++;
                await (output == "text" ? surroundings.Text : surroundings.Out).WriteLineAsync(output switch
                {
                    "ids" => Line(message.Id.ToString()),
                    "json" => JsonSerializer.Serialize(FoundJson.Of(message), FoundJsonContext.Default.FoundJson),
                    _ => Text(message),
                });
                if (found >= limit)
                    break;
            }

            if (output == "text")
                await surroundings.Error.WriteLineAsync($"{(surroundings.IsLive ? "\r\x1b[K" : "")}{found} found{(found == limit ? ", the most asked for" : "")}{(unread > 0 ? $"; not read: {unread}" : "")}");
            return unread > 0 ? ExitStatus.Incomplete : ExitStatus.Ok;
        }, stop);
    }

    /// <summary>Returns two lines: the message's description and its identifier.</summary>
    private static string Text(FoundMessage message) =>
        string.Create(CultureInfo.InvariantCulture, $"{message.Received:yyyy-MM-dd HH:mm}  {Shown(message.From, "(no sender)")}  {Shown(message.Subject, "(no subject)")}")
        + $"{(message.Attachments is { Count: > 0 } files ? $"  [{Shown(string.Join(", ", files), "")}]" : "")}\n    {TerminalText.Escape(message.Id.ToString())}  {Quantities.Octets(message.SizeBytes)}";

    /// <summary>
    /// Returns an identifier unescaped, so that <c>show</c> accepts it. Only an identifier with control characters or line separators is
    /// escaped, because it would break the line.
    /// </summary>
    private static string Line(string id) => id.Any(c => char.IsControl(c) || c is '\u2028' or '\u2029') ? TerminalText.Escape(id) : id;

    private static string Shown(string? text, string otherwise) => text is null ? otherwise : TerminalText.Escape(text);

    private sealed class Options
    {
        private readonly Option<string> from = new("--from") { Description = "Stands in the sender's name or address.", HelpName = "TEXT" };
        private readonly Option<string> to = new("--to") { Description = "Stands in a recipient's (To, Cc, Bcc).", HelpName = "TEXT" };
        private readonly Option<string> subject = new("--subject") { Description = "Stands in the subject.", HelpName = "TEXT" };
        private readonly Option<string> body = new("--body") { Description = "Stands in the text.", HelpName = "TEXT" };
        private readonly Option<string> since = new("--since") { Description = "Only messages received at this date or later, for example 2024-01-31.", HelpName = "DATE" };
        private readonly Option<string> before = new("--before") { Description = "Only messages received before this date.", HelpName = "DATE" };
        private readonly Option<string> larger = new("--larger") { Description = "Only messages larger than this, for example 5MB.", HelpName = "SIZE" };
        private readonly Option<string> smaller = new("--smaller") { Description = "Only messages smaller than this.", HelpName = "SIZE" };
        private readonly Option<string> has = new("--has") { Description = "attachment: only messages with a file attached." };
        private readonly Option<string[]> folder = new("--folder") { Description = "Only folders that fit. May be given several times.", HelpName = "GLOB", Arity = ArgumentArity.OneOrMore };

        public Options()
        {
            has.AcceptOnlyFromAmong("attachment");
            Output.AcceptOnlyFromAmong("text", "json", "ids");
        }

        public Option<string> Output { get; } = new("--output") { Description = "text for people, json (a line for each message) or ids.", DefaultValueFactory = _ => "text" };

        public Option<int?> Limit { get; } = new("--limit") { Description = "Stop after so many.", HelpName = "N" };

        public IEnumerable<Option> All => [from, to, subject, body, since, before, larger, smaller, has, folder, Output, Limit];

        public FindQuery Read(ParseResult parsed, IReadOnlyList<string> words)
        {
            var errors = new List<ConfigurationError>();
            foreach (var glob in (parsed.GetValue(folder) ?? []).Where(g => !FolderPath.TryParse(g, out _)))
                errors.Add(new ConfigurationError(new SettingOrigin("--folder"), $"'{glob}' fits no folder: a level is empty", "split levels by single slashes, none in front or at the end"));
            if (parsed.GetValue(Limit) is < 1)
                errors.Add(new ConfigurationError(new SettingOrigin("--limit"), "nothing would be found", "give 1 or more"));
            var query = new FindQuery
            {
                Words = [.. words.Where(w => w.Length > 0)],
                From = parsed.GetValue(from),
                To = parsed.GetValue(to),
                Subject = parsed.GetValue(subject),
                Body = parsed.GetValue(body),
                Since = OptionValues.Date("--since", parsed.GetValue(since), errors),
                Before = OptionValues.Date("--before", parsed.GetValue(before), errors),
                Larger = OptionValues.Size("--larger", parsed.GetValue(larger), errors),
                Smaller = OptionValues.Size("--smaller", parsed.GetValue(smaller), errors),
                HasAttachment = parsed.GetValue(has) is not null,
                Folders = [.. (parsed.GetValue(folder) ?? []).Select(g => new FolderGlob(g))],
            };
            if (query.Since >= query.Before)
                errors.Add(new ConfigurationError(new SettingOrigin("--before"), "it is not after --since, so no message would fit", "swap or correct them"));
            if (query.Larger + 1 >= query.Smaller)
                errors.Add(new ConfigurationError(new SettingOrigin("--smaller"), "it is not above --larger, so no message would fit", "swap or correct them"));
            return errors.Count > 0 ? throw new ConfigurationException(errors) : query;
        }
    }
}
