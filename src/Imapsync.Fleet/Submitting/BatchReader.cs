using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Tables;
using Imapsync.Fleet.Listing;
using Endpoint = Imapsync.Engine.Mail.Endpoint;

namespace Imapsync.Fleet.Submitting;

/// <summary>A job file and its rows, read without errors and made into accounts.</summary>
internal sealed record ReadBatch(string Job, IReadOnlyList<NewAccount> Accounts, IReadOnlyDictionary<string, int> HostConnections, IReadOnlyList<string> Notes);

/// <summary>Makes accounts from a job file with <c>for_each</c> and a CSV file, and rebuilds the job of an account.</summary>
internal sealed class BatchReader(Seal seal, BatchRules rules)
{
    private const string FileName = "job.yaml";

    /// <summary>Encrypts and decrypts the job files and rows.</summary>
    public Seal Seal => seal;

    /// <param name="job">The text of the job file.</param>
    /// <param name="table">The content of the CSV file, used whatever file <c>for_each</c> names.</param>
    /// <exception cref="ConfigurationException">Contains all mistakes, by line.</exception>
    public ReadBatch Read(string job, byte[] table) => Close(ReadJobs(job, table, keepsBadRows: false), job, table);

    /// <summary>Makes encrypted accounts of the jobs that were read from these two files. Rows without a valid job are left out.</summary>
    public ReadBatch Close(JobFile file, string job, byte[] table)
    {
        if (file.Jobs.IsEmpty)
            return new ReadBatch(seal.CloseJob(job), [], new Dictionary<string, int>(), []);
        var accounts = new List<NewAccount>(file.Jobs.Length);
        var cells = ReadCells(file.Jobs[0].Row!.Table, table);
        var hosts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var definition in file.Jobs)
        {
            var (source, target) = (ClaimOf(definition.Source), ClaimOf(definition.Target));
            accounts.Add(new NewAccount(
                definition.Name, definition.Target.Identity, definition.Source.Display, definition.Target.Display, source.Host, target.Host, source.Connections, target.Connections,
                seal.CloseCells(JsonSerializer.Serialize(new Row(definition.Row!.Table.Form.Delimiter ?? ',', definition.Row.Table.Form.IsLatin1, definition.Row.Table.Columns.AsSpan().ToArray(), cells[definition.Row.Line])))));
            foreach (var limits in new[] { definition.Source, definition.Target }.OfType<ServerEndpoint>().Select(e => e.HostLimits).OfType<HostLimits>())
            {
                if (limits.Connections is { } most)
                    hosts[limits.Host] = most;
            }
        }

        return new ReadBatch(seal.CloseJob(job), accounts, hosts, [.. file.Notes.Select(n => n.ToString())]);
    }

    /// <summary>Reads the jobs themselves, including passwords; they must not leave this process.</summary>
    /// <param name="keepsBadRows">See <see cref="JobFileOptions.KeepsBadRows"/>.</param>
    /// <exception cref="ConfigurationException">Contains all mistakes, by line.</exception>
    public JobFile ReadJobs(string job, byte[] table, bool keepsBadRows)
    {
        rules.CheckText(FileName, job);
        var opened = 0;
        var file = JobFileReader.Parse(FileName, job, rules.Options with
        {
            KeepsBadRows = keepsBadRows,
            OpenTable = _ =>
            {
                if (opened++ > 0)
                    throw new NotSupportedException("a list of accounts comes with one file of rows, and this is the second 'for_each'");
                return new MemoryStream(table, writable: false);
            },
        });
        rules.CheckJobs(FileName, file);
        return file;
    }

    /// <summary>Decrypts a submitted list: its job file, and its rows as a CSV file in the form in which they were submitted.</summary>
    /// <param name="cells">The encrypted rows; at least one.</param>
    /// <exception cref="ConfigurationException">The rows were submitted with different columns, or can't be decrypted here.</exception>
    public (string Job, byte[] Table) Open(string job, IReadOnlyList<string> cells)
    {
        try
        {
            var rows = cells.Select(c => JsonSerializer.Deserialize<Row>(seal.OpenCells(c))!).ToList();
            var first = rows[0];
            var others = rows.Count(r => r.Delimiter != first.Delimiter || r.IsLatin1 != first.IsLatin1 || !r.Columns.SequenceEqual(first.Columns));
            return others == 0
                ? (seal.OpenJob(job), first.ToCsv(rows.Select(r => r.Cells)))
                : throw new ConfigurationException([new(new SettingOrigin("accounts.csv"), string.Create(CultureInfo.InvariantCulture, $"{others} rows of the list came with other columns than the first"), "submit all rows again, by one file")]);
        }
        catch (CryptographicException)
        {
            throw new ConfigurationException([new(new SettingOrigin(FileName), "the list can't be read with the keys of this server", "every process of a fleet needs the same --data directory")]);
        }
    }

    /// <summary>
    /// Returns the hosts that a job reaches, by the names under which connections are counted. A host that is both source and target occurs
    /// twice.
    /// </summary>
    public static IReadOnlyList<string> HostsOf(JobDefinition job) => [.. new[] { job.Source, job.Target }.OfType<ServerEndpoint>().Select(HostOf)];

    /// <summary>Returns the job of an account, limited to the connections to source and target that the fleet reserved for it.</summary>
    /// <exception cref="ConfigurationException">The job file can't be read here, or it does what this worker does not allow.</exception>
    public JobDefinition Rebuild(StartedAccount account)
    {
        var job = Rebuild(account.Job, account.Cells);
        return job with { Source = Limit(job.Source, account.SourceClaim), Target = Limit(job.Target, account.TargetClaim) };
    }

    /// <param name="sealedJob">The batch's job file, encrypted.</param>
    /// <param name="cells">The account's row, encrypted.</param>
    /// <exception cref="ConfigurationException">The job file can't be read here, or it does what this process does not allow.</exception>
    /// <exception cref="CryptographicException">
    /// The job file or the row was encrypted with keys that this process does not have.
    /// </exception>
    public JobDefinition Rebuild(string sealedJob, string cells)
    {
        var row = JsonSerializer.Deserialize<Row>(seal.OpenCells(cells))!;
        var text = seal.OpenJob(sealedJob);
        // The rules of this worker may be stricter than those of the server to which the list was submitted.
        rules.CheckText(FileName, text);
        var file = JobFileReader.Parse(FileName, text, rules.Options with { OpenTable = _ => new MemoryStream(row.ToCsv([row.Cells]), writable: false) });
        rules.CheckJobs(FileName, file);
        return file.Jobs.Single();
    }

    private static Dictionary<int, string[]> ReadCells(AccountTable table, byte[] csv)
    {
        using var reader = CsvReader.Read(new MemoryStream(csv, writable: false), table.Form);
        var rows = new Dictionary<int, string[]>();
        while (reader.ReadRow())
            rows[reader.Line] = reader.Cells;
        return rows;
    }

    private static (string Host, int Connections) ClaimOf(Endpoint endpoint) => endpoint switch
    {
        ImapEndpoint imap => (HostOf(imap), imap.Connections),
        ServerEndpoint server => (HostOf(server), 1),
        _ => ("", 0),
    };

    private static string HostOf(ServerEndpoint server) => server.HostLimits?.Host ?? server.Host.ToLowerInvariant();

    private static Endpoint Limit(Endpoint endpoint, int connections) => endpoint switch
    {
        ImapEndpoint imap => imap with { Connections = Math.Min(imap.Connections, connections), HostLimits = OwnPace(imap) },
        ServerEndpoint server => server with { HostLimits = OwnPace(server) },
        _ => endpoint,
    };

    /// <summary>
    /// Returns the server's limits without its number of connections, because the fleet itself counts connections over all workers.
    /// </summary>
    private static HostLimits? OwnPace(ServerEndpoint server) => server.HostLimits is { } limits ? limits with { Connections = null } : null;

    /// <summary>A row with its header, in the form in which it is encrypted.</summary>
    private sealed record Row(char Delimiter, bool IsLatin1, string[] Columns, string[] Cells)
    {
        /// <param name="rows">The rows of the file, which gets the delimiter, encoding and header of this row.</param>
        public byte[] ToCsv(IEnumerable<string[]> rows)
        {
            using var file = new MemoryStream();
            var writer = new CsvWriter(file, Delimiter);
            writer.WriteAsync(Columns).GetAwaiter().GetResult();
            foreach (var row in rows)
                writer.WriteAsync(row).GetAwaiter().GetResult();
            writer.DisposeAsync().AsTask().GetAwaiter().GetResult();
            return IsLatin1 ? Encoding.Latin1.GetBytes(Encoding.UTF8.GetString(file.ToArray())) : file.ToArray();
        }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"(a row of {Cells.Length} cells)");
    }
}
