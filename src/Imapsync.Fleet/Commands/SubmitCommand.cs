using System.CommandLine;
using Imapsync.Fleet.Preflights;
using Imapsync.Fleet.Serving;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Imapsync.Fleet.Commands;

/// <summary><c>imapsync-fleet submit</c>: sends a job file and its accounts, which are the rows of a CSV file, to the server.</summary>
internal static class SubmitCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var command = new Command("submit", "Give the fleet a list of accounts, or correct one: the same job file with 'for_each' that 'imapsync run' takes.");
        var file = new Argument<string>("FILE") { Description = "The job file." };
        var accounts = new Option<string>("--accounts") { Description = "The CSV file, where it is not the one that 'for_each' names.", HelpName = "FILE" };
        var name = new Option<string>("--name") { Description = "The list's name; the job file's where it is not given.", HelpName = "NAME" };
        var priority = new Option<int>("--priority") { Description = "The most urgent has the highest.", HelpName = "N" };
        var schedule = new Option<string>("--schedule") { Description = "When all of it is to be run again: seconds minutes hours day month weekday, such as '0 0 2 * * ?'.", HelpName = "CRON" };
        var zone = new Option<string>("--zone") { Description = "The schedule's time zone.", HelpName = "ZONE", DefaultValueFactory = _ => "UTC" };
        var paused = new Option<bool>("--paused") { Description = "Begin nothing before 'resume'." };
        var check = new Option<bool>("--check") { Description = "Only read it and say what is wrong." };
        var signIn = new Option<bool>("--sign-in") { Description = "Sign in to both sides of each row first, as 'check' does, and take the list in only if every row can be run." };
        var parallel = CheckCommand.ParallelOption();
        command.Add(file);
        foreach (var option in new Option[] { accounts, name, priority, schedule, zone, paused, check, signIn, parallel })
            command.Add(option);
        command.Validators.Add(given =>
        {
            if (given.GetValue(check) && given.GetValue(signIn))
                given.AddError("--check takes nothing in and --sign-in does: give one of them.");
        });
        var client = new FleetClient.Options(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var fleet = client.Open(parsed);
            var path = parsed.GetValue(file)!;
            using var form = await FormAsync(path, parsed.GetValue(accounts), cancellationToken);
            form.Add(new StringContent(parsed.GetValue(name) ?? Path.GetFileNameWithoutExtension(path)), "name");
            form.Add(new StringContent(parsed.GetValue(priority).ToString(System.Globalization.CultureInfo.InvariantCulture)), "priority");
            form.Add(new StringContent(parsed.GetValue(schedule) ?? ""), "schedule");
            form.Add(new StringContent(parsed.GetValue(zone)!), "zone");
            form.Add(new StringContent(parsed.GetValue(paused) ? "true" : ""), "paused");
            form.Add(new StringContent(parsed.GetValue(signIn) ? "signin" : parsed.GetValue(check) ? "true" : ""), "check");
            if (parsed.GetValue(signIn))
            {
                form.Add(new StringContent(parsed.GetValue(parallel).ToString(System.Globalization.CultureInfo.InvariantCulture)), "parallel");
                var ended = await CheckCommand.FollowAsync(fleet, await fleet.PostFormAsync<PreflightView>("/api/batches", form, cancellationToken), parsed.GetValue(parallel), output, error, cancellationToken);
                await output.WriteLineAsync(ended.Batch is { } taken ? $"{ended.Rows} accounts, list {taken}" : ended.Problem ?? "the check was ended, so nothing was taken in");
                return ended.Batch is null ? FleetCommandLine.Failed : 0;
            }

            var answer = await fleet.PostFormAsync<SubmitAnswer>("/api/batches", form, cancellationToken);
            foreach (var note in answer.Notes)
                await error.WriteLineAsync(note);
            await output.WriteLineAsync(answer.Id is { } id ? $"{answer.Name}: {answer.Accounts} accounts, list {id}" : $"{answer.Name}: {answer.Accounts} accounts, no mistake; nothing was taken in");
            return 0;
        });
        return command;
    }

    /// <summary>Returns the two files of a list of accounts, the job file and the CSV file, as an HTTP form.</summary>
    /// <param name="accounts">The CSV file; null for the one that the job file names.</param>
    public static async Task<MultipartFormDataContent> FormAsync(string path, string? accounts, CancellationToken cancellationToken) => new()
    {
        { new ByteArrayContent(await ReadAsync(path, cancellationToken)), "job", "job.yaml" },
        { new ByteArrayContent(await ReadAsync(accounts ?? TableOf(path), cancellationToken)), "accounts", "accounts.csv" },
    };

    /// <summary>Reads a file of at most the size that the server accepts. A larger file is refused before all of it is in memory.</summary>
    private static async Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(path);
        // A pipe has no length, so it has to be read to find out how long it is.
        using var octets = new MemoryStream();
        if (!file.CanSeek || file.Length <= Api.LargestUpload)
        {
            var buffer = new byte[64 * 1024];
            while (octets.Length <= Api.LargestUpload && await file.ReadAsync(buffer, cancellationToken) is > 0 and var read)
                octets.Write(buffer, 0, read);
            if (octets.Length <= Api.LargestUpload)
                return octets.ToArray();
        }

        throw new FleetException($"{path} is larger than {Api.LargestUpload >> 20} MiB, which is the most that a list may have; split it");
    }

    /// <summary>Returns the path of the CSV file that the job file's <c>for_each</c> names, relative to the job file's directory.</summary>
    private static string TableOf(string path)
    {
        try
        {
            var yaml = new YamlStream();
            using var text = File.OpenText(path);
            yaml.Load(text);
            var each = yaml.Documents.Select(d => Find(d.RootNode, "jobs")).OfType<YamlSequenceNode>().SelectMany(l => l).Select(j => Find(j, "for_each")).FirstOrDefault(e => e is not null);
            if ((each as YamlScalarNode ?? Find(each, "file") as YamlScalarNode)?.Value is { Length: > 0 } named)
                return Path.GetFullPath(named, Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (YamlException e)
        {
            throw new FleetException($"{path}:{e.Start.Line}:{e.Start.Column}: this is no YAML: {e.Message}");
        }

        throw new FleetException($"{path} has no job with 'for_each: FILE'; a list of accounts needs one, with a row for each account");
    }

    private static YamlNode? Find(YamlNode? node, string key) => (node as YamlMappingNode)?.Children.FirstOrDefault(c => (c.Key as YamlScalarNode)?.Value == key).Value;
}
