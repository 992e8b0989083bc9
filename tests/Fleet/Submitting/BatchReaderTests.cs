using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Mail;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Submitting;
using Imapsync.Tests.Support;

namespace Imapsync.Fleet.Tests.Submitting;

/// <summary>The job that a worker runs equals the submitted job, whatever characters the cells of its account's row contain.</summary>
public sealed class BatchReaderTests : IDisposable
{
    private const string Letters = "aé,;\"|\t #'{}\\ 漢=";

    private readonly TempDir dir = new();

    [Fact]
    public async Task A_job_made_again_at_a_worker_is_the_job_of_its_row_whatever_stands_in_it()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var (delimiter, isLatin1) = (",;|\t"[random.Next(4)], random.Next(3) == 0);
            var rows = Enumerable.Range(0, random.Next(1, 6)).Select(i => (Name: $"n{i}", User: $"u{i}{Text(random, isLatin1)}", Password: $"p{Text(random, isLatin1)}")).ToList();
            var csv = string.Join('\n', rows.Select(r => $"{r.Name}{delimiter}{Cell(r.User)}{delimiter}{Cell(r.Password)}").Prepend($"name{delimiter}user{delimiter}password")) + "\n";
            var form = isLatin1 ? "{ file: accounts.csv, encoding: latin-1 }" : random.Next(2) == 0 ? "accounts.csv" : $"{{ file: accounts.csv, delimiter: {(delimiter == '\t' ? "tab" : $"\"{delimiter}\"")} }}";
            var reader = Reader();
            var batch = reader.Read(Job(form), (isLatin1 ? Encoding.Latin1 : new UTF8Encoding(random.Next(2) == 0)).GetBytes(csv));
            Assert.Equal(rows.Count, batch.Accounts.Count);
            var (text, table) = reader.Open(batch.Job, [.. batch.Accounts.Select(a => a.Cells)]);
            Assert.Equal(rows.Select(r => r.User), reader.ReadJobs(text, table, keepsBadRows: true).Jobs.Select(j => ((ImapEndpoint)j.Source).User));
            foreach (var (account, row) in batch.Accounts.Zip(rows))
            {
                var job = reader.Rebuild(new StartedAccount(1, 1, 1, account.Name, batch.Job, account.Cells, 1, 3, 0, Wanted.Run));
                var (source, target) = ((ImapEndpoint)job.Source, (ImapEndpoint)job.Target);
                Assert.True(source.User == row.User && job.Name == row.Name, $"seed {seed}: {row}");
                Assert.Equal(row.Password, (await source.Password!.ReadAsync(TestContext.Current.CancellationToken)).Reveal());
                // Each number of connections is the smaller of two limits: that of the list (1 and 3), and
                // that of the job file (target: 2).
                Assert.Equal((1, 2), (source.Connections, target.Connections));
            }
        }
    }

    [Fact]
    public void What_is_sealed_is_nothing_to_whoever_has_other_keys_or_changes_it()
    {
        var batch = Reader().Read(Job("accounts.csv"), "name,user,password\nalice,alice,hunter2\n"u8.ToArray());
        var account = new StartedAccount(1, 1, 1, "alice", batch.Job, batch.Accounts[0].Cells, 1, 1, 0, Wanted.Run);
        Assert.ThrowsAny<CryptographicException>(() => Reader("other-keys").Rebuild(account));
        Assert.ThrowsAny<CryptographicException>(() => Reader().Rebuild(account with { Cells = account.Job }));
        Assert.Equal("alice", Reader().Rebuild(account).Name);
        Assert.DoesNotContain("hunter2", account.Cells, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_whose_rows_came_with_different_columns_or_under_other_keys_is_not_opened()
    {
        var old = Reader().Read(Job("accounts.csv"), "name,user,password\nalice,alice,hunter2\n"u8.ToArray());
        var later = Reader().Read(Job("accounts.csv"), "name,user,password,note\nbob,bob,hunter2,x\n"u8.ToArray());
        string[] cells = [later.Accounts[0].Cells, old.Accounts[0].Cells];
        Assert.Contains("1 rows of the list came with other columns", Assert.Throws<ConfigurationException>(() => Reader().Open(later.Job, cells)).Message, StringComparison.Ordinal);
        Assert.Contains("keys of this server", Assert.Throws<ConfigurationException>(() => Reader("other-keys").Open(old.Job, [old.Accounts[0].Cells])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("accounts.ldif")]
    [InlineData("{ file: accounts.txt, format: ldif }")]
    [InlineData("{ command: cat /etc/passwd }")]
    [InlineData("[{ name: alice, user: alice, password: x }]")]
    public void Only_a_table_that_was_handed_over_makes_accounts(string form)
    {
        foreach (var trusted in new[] { false, true })
            Assert.Throws<ConfigurationException>(() => Reader(trusted: trusted).Read(Job(form), "name,user,password\nalice,alice,hunter2\n"u8.ToArray()));
    }

    [Fact]
    public void A_banned_key_is_found_whatever_merge_keys_and_words_stand_around_it()
    {
        string[] keys = ["password_command", "password_file", "password_env", "tls_client_certificate", "tls_client_key", "Password_Command"];
        string[] places = ["password: \"<<\"", "password: '<<'", "password: <<", "\"<<\": x", "<<: { a: b }", "<<: [{ a: b }, { c: d }]", "<<: x", "? [<<]\n      : x", "a: [<<, \"<<\"]", "password: x"];
        var hostile = Path.Combine(dir.Path, "ran");
        for (var seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            var lines = new List<string> { "url: \"imaps://{user}@old.example\"", $"{keys[random.Next(keys.Length)]}: 'touch {hostile}'" };
            lines.Insert(random.Next(lines.Count + 1), places[random.Next(places.Length)]);
            string[] ends = [string.Join("\n      ", lines), "url: \"imaps://{user}@new.example\"\n      " + places[random.Next(places.Length)]];
            if (random.Next(2) == 0)
                Array.Reverse(ends);
            var job = $"jobs:\n  - name: \"{{name}}\"\n    for_each: accounts.csv\n    source:\n      {ends[0]}\n    target:\n      {ends[1]}\n";
            var e = Assert.Throws<ConfigurationException>(() => new BatchRules(false, [], new Dictionary<string, string>()).CheckText("job.yaml", job));
            Assert.True(e.Errors.All(x => x.Origin.Line > 3) && e.Message.Contains("may not stand in a list", StringComparison.Ordinal), $"seed {seed}: {job}\n{e.Message}");
            Assert.Throws<ConfigurationException>(() => Reader().Read(job, "name,user\nalice,alice\n"u8.ToArray()));
        }

        Assert.False(File.Exists(hostile));
    }

    [Theory]
    [InlineData("jobs: [\n")]
    [InlineData("jobs:\n  - name: \"a\n")]
    [InlineData("jobs: {a: b\n  c: *x }\n")]
    public void A_text_that_is_not_valid_YAML_is_refused_where_it_is_checked(string text) =>
        Assert.Matches(@"^job\.yaml:\d+:\d+: this is not valid YAML", Assert.Single(Assert.Throws<ConfigurationException>(() => new BatchRules(false, [], new Dictionary<string, string>()).CheckText("job.yaml", text)).Errors).ToString());

    [Fact]
    public void A_worker_runs_nothing_that_it_was_not_told_to_trust()
    {
        var command = Job("accounts.csv").Replace("password: \"{password}\" }", "password_command: \"true\" }", StringComparison.Ordinal);
        var place = Job("accounts.csv").Replace("\"imaps://{user}@old.example\", password: \"{password}\"", $"\"mbox:{dir["mail"]}\"", StringComparison.Ordinal);
        foreach (var job in new[] { command, place })
        {
            var batch = Reader(trusted: true).Read(job, "name,user,password\nalice,alice,hunter2\n"u8.ToArray());
            var account = new StartedAccount(1, 1, 1, "alice", batch.Job, batch.Accounts[0].Cells, 1, 1, 0, Wanted.Run);
            Assert.Throws<ConfigurationException>(() => Reader().Rebuild(account));
            Assert.Equal("alice", Reader(trusted: true).Rebuild(account).Name);
        }
    }

    public void Dispose() => dir.Dispose();

    private static string Job(string form) => $$"""
        jobs:
          - name: "{name}"
            for_each: {{form}}
            source: { url: "imaps://{user}@old.example", password: "{password}" }
            target: { url: "imaps://{user}@new.example", password: "{password}", connections: 2 }
        """;

    private static string Text(Random random, bool isLatin1) =>
        new([.. Enumerable.Range(0, random.Next(0, 9)).Select(_ => Letters[random.Next(Letters.Length)]).Where(c => c < 256 || !isLatin1).Where(c => !char.IsControl(c))]);

    private static string Cell(string text) => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private BatchReader Reader(string keys = "keys", bool trusted = false) => new(Seal.Open(dir[keys]), new BatchRules(trusted, [], new Dictionary<string, string>()));
}
