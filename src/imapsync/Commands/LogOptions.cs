using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Files;

namespace Imapsync.CommandLine.Commands;

/// <summary>The options that choose what people are shown while a command works, and what is logged.</summary>
internal sealed class LogOptions
{
    private readonly Option<string> format = new("--log-format") { Description = "How lines of the log look: text with date and zone, json, or journald with priorities. Without --log-file they are what standard error gets." };
    private readonly Option<string> file = new("--log-file") { Description = "Add what happens to this file, besides what is shown.", HelpName = "FILE" };
    private readonly Option<bool> quiet = new("--quiet", "-q") { Description = "Tell of problems alone, on standard error. Files and --output json have all of it." };

    public LogOptions(Command command)
    {
        format.AcceptOnlyFromAmong(LogForm.Text, LogForm.Json, LogForm.Journald);
        command.Add(format);
        command.Add(file);
        command.Add(quiet);
        command.Validators.Add(result =>
        {
            if (result.GetValue(quiet) && result.Children.OfType<OptionResult>().Any(o => o.Option.Name == TraceOptions.Verbose))
                result.AddError($"{quiet.Name} is to tell less, {TraceOptions.Verbose} more: choose one.");
        });
    }

    public LogSettings Read(ParseResult parsed) => new(parsed.GetValue(format), parsed.GetValue(file)) { IsQuiet = parsed.GetValue(quiet) };
}

/// <summary>The format of the log, and where it is written.</summary>
/// <param name="Format">Null for text.</param>
/// <param name="File">Null for standard error.</param>
internal sealed record LogSettings(string? Format, string? File)
{
    /// <summary>Whether people are shown only problems (<c>--quiet</c>).</summary>
    public bool IsQuiet { get; init; }

    /// <summary>Runs a command's work. Its messages and events, and mistakes in the job file, go to the log as requested.</summary>
    public async Task<int> RunAsync(HostContext surroundings, Func<HostContext, Task<int>> work)
    {
        if (IsQuiet)
            surroundings = surroundings with { IsQuiet = true, Aside = TextWriter.Null, Text = TextWriter.Null };
        if (this is { Format: null, File: null })
            return await work(surroundings);
        StreamWriter? file = null;
        try
        {
            if (File is not null)
                file = new StreamWriter(OutputFile.OpenAppend(File), new UTF8Encoding(false)) { AutoFlush = true };
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            await surroundings.Error.WriteLineAsync(TerminalText.Escape($"--log-file {File}: {FileErrors.Explain(e)}"));
            return ExitStatus.Usage;
        }

        // When the disk is full, the log loses lines, but the run continues. Events and messages are written concurrently, so the
        // writer keeps each line whole.
        var logged = Open(surroundings, file is null ? surroundings.Error : new BestEffortWriter(TextWriter.Synchronized(file)));
        try
        {
            return await work(logged);
        }
        catch (ConfigurationException e)
        {
            foreach (var error in e.Errors)
                await logged.Error.WriteLineAsync(TerminalText.Escape(error.ToString()));
            return ExitStatus.Usage;
        }
        finally
        {
            try
            {
                if (file is not null)
                    await file.DisposeAsync();
            }
            catch (IOException)
            {
                // A failure to close the file loses nothing, since each line was flushed when it was written.
            }
        }
    }

    private HostContext Open(HostContext surroundings, TextWriter output)
    {
        var time = surroundings.Time;
        Func<Engine.Progress.JobEvent?, string, DateTimeOffset, string> form = Format == LogForm.Journald ? LogForm.OfJournal : LogForm.OfText;
        var besides = File is null ? null : surroundings.Error;
        void Add(string line) => output.WriteLine(Format == LogForm.Json ? LogForm.OfMessage(line, time.GetLocalNow()) : form(null, line, time.GetLocalNow()));
        var words = new LogWords(Add, besides);
        // JsonLines passes its human-readable messages to the log only, because the screen has already shown them.
        var alone = new LogWords(Add, besides: null);
        IProgressOutput events = Format == LogForm.Json ? new JsonLines(output, alone) : new PlainLines(output, time, form);
        return surroundings with
        {
            Error = words,
            // With --quiet a log file still gets every message, but a log on standard error does not.
            Aside = !IsQuiet ? words : besides is null ? TextWriter.Null : alone,
            Screen = besides,
            Log = events,
            IsLive = File is not null && surroundings.IsLive,
        };
    }
}
