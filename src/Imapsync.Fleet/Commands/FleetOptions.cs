using System.Collections;
using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Imapsync.Engine.Files;
using Imapsync.Fleet.Executing;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Submitting;
using Imapsync.Fleet.Working;

namespace Imapsync.Fleet.Commands;

/// <summary>The options of the commands that run workers: where the fleet's data is kept, and what the workers may do.</summary>
internal sealed class FleetOptions
{
    private const string PostgresVariable = "IMAPSYNC_FLEET_POSTGRES";

    private readonly Option<string> data = DataOption();
    private readonly Option<string> postgresFile = new("--postgres-file") { Description = $"A file with the connection string of PostgreSQL, for several machines; or the variable {PostgresVariable}. Without either the list lies in --data.", HelpName = "FILE" };
    private readonly Option<int> slots = new("--slots") { Description = "Accounts at work at once.", HelpName = "N", DefaultValueFactory = _ => 10 };
    private readonly Option<string> name = new("--name") { Description = "Tells this worker from all others of the fleet; the machine's name, the process's number and some random digits where it is not given.", HelpName = "NAME" };
    private readonly Option<int> grace = new("--grace") { Description = "How many seconds what is in hand may take when the worker is to end.", HelpName = "SECONDS", DefaultValueFactory = _ => 25 };
    private readonly Option<bool> trust = new("--trust-job-files") { Description = "Whoever may submit a list may run commands and read files on the workers." };
    private readonly Option<string[]> directories = new("--allow-directory") { Description = "Mail may be kept on the workers' disks below this directory.", HelpName = "DIR" };

    public FleetOptions(Command command)
    {
        foreach (var option in new Option[] { data, postgresFile, slots, name, grace, trust, directories })
            command.Add(option);
    }

    public static Option<string> DataOption() => new("--data") { Description = "The fleet's directory: keys, tokens, the state of jobs, and without PostgreSQL the list. All machines of a fleet share it.", HelpName = "DIR", DefaultValueFactory = _ => "fleet" };

    public string DataOf(ParseResult parsed)
    {
        var directory = Path.GetFullPath(parsed.GetValue(data)!);
        DurableFiles.CreateForOwner(directory);
        return directory;
    }

    public int SlotsOf(ParseResult parsed) => parsed.GetValue(slots) is var n and >= 0 and <= 1000 ? n : throw new FleetException("--slots must be a number from 0 to 1000");

    private TimeSpan GraceOf(ParseResult parsed) => parsed.GetValue(grace) is var n and >= 0 and <= 86_400 ? TimeSpan.FromSeconds(n) : throw new FleetException("--grace must be a number of seconds from 0 to 86400");

    /// <param name="isShared">Whether several machines must reach the store, which then has to be PostgreSQL.</param>
    public async Task<FleetStore> OpenStoreAsync(ParseResult parsed, bool isShared, CancellationToken cancellationToken)
    {
        var file = parsed.GetValue(postgresFile);
        var connection = file is not null ? (await File.ReadAllLinesAsync(file, cancellationToken)).FirstOrDefault(l => l.Trim().Length > 0) ?? throw new FleetException($"{file} is empty; its first line is to be a connection string, such as Host=db.example;Username=fleet;Password=…;Database=fleet")
            : Environment.GetEnvironmentVariable(PostgresVariable) is { Length: > 0 } text ? text : null;
        try
        {
            if (connection is not null)
                return await FleetStore.OpenPostgresAsync(connection.Trim(), null, cancellationToken);
        }
        catch (ArgumentException e)
        {
            throw new FleetException($"the connection string of PostgreSQL can't be read: {e.Message}");
        }

        return isShared
            ? throw new FleetException($"a worker of its own needs PostgreSQL: give --postgres-file or {PostgresVariable}; on one machine 'imapsync-fleet serve' works by itself")
            : await FleetStore.OpenFileAsync(Path.Combine(DataOf(parsed), "fleet.db"), null, cancellationToken);
    }

    public BatchReader ReaderOf(ParseResult parsed)
    {
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal);
        var rules = new BatchRules(parsed.GetValue(trust), [.. (parsed.GetValue(directories) ?? []).Select(Path.GetFullPath)], environment);
        return new BatchReader(Seal.Open(Path.Combine(DataOf(parsed), "keys")), rules);
    }

    public FleetWorker WorkerOf(ParseResult parsed, FleetStore store, BatchReader reader, ILogger<FleetWorker> log)
    {
        var worker = new WorkerOptions(
            // A random part is added, because containers on one host may have the same host name and process number. Two workers with the
            // same name would be taken for one.
            parsed.GetValue(name) ?? string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}-{Environment.ProcessId}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3))}"),
            SlotsOf(parsed), typeof(FleetOptions).Assembly.GetName().Version!.ToString(3), GraceOf(parsed));
        var executor = new QuartzExecutor(worker.Name, worker.Slots, store.PostgresConnectionString, work => store.AloneAsync(work, CancellationToken.None));
        var runner = new AccountRunner(reader, store, new AttemptDirectories(Path.Combine(DataOf(parsed), "state")), worker.Name, TimeProvider.System);
        return new FleetWorker(store, executor, runner, worker, TimeProvider.System, log);
    }
}
