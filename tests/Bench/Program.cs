using System.CommandLine;
using Imapsync.Bench;
using Imapsync.Bench.Cases;
using Imapsync.Bench.Contenders;
using Imapsync.Bench.Micro;

[assembly: System.Runtime.Versioning.UnsupportedOSPlatform("windows")]

var cases = new Argument<string[]>("case") { Description = "What to measure; all cases where none is named." };
cases.Validators.Add(given =>
{
    foreach (var name in given.Tokens.Select(t => t.Value).Where(n => AllCases.List.All(c => c.Name != n)))
        given.AddError($"There is no case {name}; the cases are {string.Join(", ", AllCases.List.Select(c => c.Name))}.");
});
var program = new Option<string>("--program") { Description = "The imapsync to measure; tests/bench.sh publishes one.", Required = true };
var defaults = new BenchOptions { Program = "" };
var runs = new Option<int>("--runs") { Description = "Runs of each contender.", DefaultValueFactory = _ => defaults.Runs };
var messages = new Option<int>("--messages") { Description = "Messages of the ordinary mailbox.", DefaultValueFactory = _ => defaults.Messages };
var folders = new Option<int>("--folders") { Description = "Folders where there are many.", DefaultValueFactory = _ => defaults.Folders };
var accounts = new Option<int>("--accounts") { Description = "Accounts where there are many.", DefaultValueFactory = _ => defaults.Accounts };
var roundTrip = new Option<int>("--round-trip") { Description = "Milliseconds there and back where servers are far away.", DefaultValueFactory = _ => (int)defaults.RoundTrip.TotalMilliseconds };
var huge = new Option<int>("--huge") { Description = "MiB of the one big message.", DefaultValueFactory = _ => defaults.HugeMiB };
var disk = new Option<string>("--disk") { Description = "A directory on a real disk, for the case disk." };
var without = new Option<string[]>("--without") { Description = "Contenders to leave out: mbsync, mailkit, mailkit-loop, floor.", AllowMultipleArgumentsPerToken = true };
var json = new Option<string>("--json") { Description = "Write every run to this file as well." };

var root = new RootCommand("Measures imapsync beside mbsync, programs on MailKit and a raw client, in turns, on private servers in memory.")
{
    cases, program, runs, messages, folders, accounts, roundTrip, huge, disk, without, json,
};
root.SetAction(async parsed =>
{
    var options = new BenchOptions
    {
        Program = parsed.GetRequiredValue(program),
        Runs = parsed.GetValue(runs),
        Messages = parsed.GetValue(messages),
        Folders = parsed.GetValue(folders),
        Accounts = parsed.GetValue(accounts),
        RoundTrip = TimeSpan.FromMilliseconds(parsed.GetValue(roundTrip)),
        HugeMiB = parsed.GetValue(huge),
        Disk = parsed.GetValue(disk),
        Without = parsed.GetValue(without) ?? [],
        JsonFile = parsed.GetValue(json),
    };
    return await BenchRun.RunAsync(options, parsed.GetValue(cases) ?? []);
});

var list = new Command("list", "Say what the cases are.");
list.SetAction(_ =>
{
    foreach (var known in AllCases.List)
        Console.WriteLine($"{known.Name,-14}{known.What}");
});
root.Add(list);

var micro = new Command("micro", "Measure the innermost parts: framing, tokens, UID sets, journal.") { TreatUnmatchedTokensAsErrors = false };
micro.SetAction(parsed => MicroBenchmarks.Run([.. parsed.UnmatchedTokens]));
root.Add(micro);

// A hidden command that the MailKit contender runs as a separate process.
var mailKit = new Command("mailkit-program") { Hidden = true, TreatUnmatchedTokensAsErrors = false };
mailKit.SetAction(parsed => MailKitProgram.RunAsync([.. parsed.UnmatchedTokens]));
root.Add(mailKit);

return await root.Parse(args).InvokeAsync();
