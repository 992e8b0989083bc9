using System.Globalization;
using System.Text;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Tests.Copying;

namespace Imapsync.Engine.Tests.Configuration;

/// <summary>
/// The key <c>for_each</c> makes one job of each row of a table. A job inserts the row's values where it names their columns.
/// </summary>
[Collection(nameof(MemoryBoundsTests))]
public sealed class ForEachTests : JobFileFixture
{
    private const string Template = """
        jobs:
          - name: "{user}"
            for_each: accounts.csv
            source:
              url: "imaps://{login}@imap.{domain}"
              password: "{password}"
            target:
              url: "maildir:backup/{domain}/{user}"
            folders: { exclude: ["{junk}", "a{{b}}"] }
            state: "state/{user}"
        """;

    private const string Header = "user,login,password,domain,junk";

    [Fact]
    public async Task Each_row_is_a_job_with_its_cells_in_the_places_of_their_columns()
    {
        Rows(Header, "alice,alice@old:x/y,\"p{w}, \"\"1\"\"\",example.org,Junk", "bob,büro%,s3cret,bücher.example,\"[x]: - 'y'\"");
        var file = Read(Template);
        Assert.Equal(["alice", "bob"], file.Jobs.Select(j => j.Name));
        var (alice, bob) = (Assert.IsType<ImapEndpoint>(file.Jobs[0].Source), Assert.IsType<ImapEndpoint>(file.Jobs[1].Source));
        Assert.Equal(("alice@old:x/y", "imap.example.org"), (alice.User, alice.Host));
        Assert.Equal(("büro%", "imap.xn--bcher-kva.example"), (bob.User, bob.Host));
        Assert.Equal("p{w}, \"1\"", (await alice.Password!.ReadAsync(TestContext.Current.CancellationToken)).Reveal());
        Assert.Equal("maildir:" + Path.Combine(Directory, "backup/example.org/alice"), file.Jobs[0].Target.Display);
        Assert.Equal(["[x]: - 'y'", "a{b}"], file.Jobs[1].Folders.Exclude);
        Assert.Equal(Path.Combine(Directory, "state/bob"), file.Jobs[1].StateDirectory);
        Assert.Equal(3, file.Jobs[1].Row!.Line);
    }

    [Fact]
    public void A_list_written_out_does_as_well()
    {
        var file = Read(Template.Replace("for_each: accounts.csv", "for_each:\n      - { user: alice, login: a, password: p, domain: example.org, junk: Junk }\n      - { user: bob, login: b, password: p, domain: example.org, junk: Spam }", StringComparison.Ordinal));
        Assert.Equal(["alice", "bob"], file.Jobs.Select(j => j.Name));
        Assert.Contains("job.yaml:5:9: the cell of 'password' is empty", Error(Template.Replace("for_each: accounts.csv", "for_each:\n      - { user: alice, login: a, password: p, domain: example.org, junk: Junk }\n      - { user: bob, login: b, domain: example.org, junk: Spam }", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void All_mistakes_of_all_rows_are_told_at_once_by_line_and_column()
    {
        Rows(
            Header,
            "alice,a,p,example.org,Junk",
            "../bob,b,p,example.org,Junk",
            "carol,c,,example.org,Junk",
            "dave,d,p,exa mple.org,Junk",
            "alice,e,p,example.com,Junk",
            "frank,f,p,example.org",
            "\"gina\nh\",g,p,example.org,Junk",
            "harry,h,p,..,Junk");
        Assert.Equal(
        [
            "accounts.csv:3:1: the cell of 'user' can't be a part of a path; write a name without / that is not . or .. or ~, so that each row stays in the job file's directory",
            "accounts.csv:4:3: the cell of 'password' is empty; fill it in, or remove the row",
            "accounts.csv:5:4: the cell of 'domain' is no host; write a host's name, with :PORT where it needs one",
            "accounts.csv:6:1: the name 'alice' is taken by the job at accounts.csv:2:1; give each job a name of its own",
            "accounts.csv:7:4: this row has 4 cells, and there are 5 columns; correct the row; a delimiter inside of a cell needs the cell in quotes",
            "accounts.csv:8:1: the cell of 'user' can't be a part of a path; write a name without / that is not . or .. or ~, so that each row stays in the job file's directory",
            "accounts.csv:10:4: the cell of 'domain' can't be a part of a path; write a name without / that is not . or .. or ~, so that each row stays in the job file's directory",
        ],
        Errors(Template));
    }

    [Theory]
    [InlineData("name: \"{user}\"", "name: \"{usr}\"", "job.yaml:2:11: there is no column 'usr' in accounts.csv; did you mean 'user'?")]
    [InlineData("name: \"{user}\"", "name: {user}", "job.yaml:2:11: braces that are not in quotes mean a section to YAML; put the value in quotes: name: \"{user}\"")]
    [InlineData("name: \"{user}\"", "name: \"{user\"", "job.yaml:2:11: a '{' stands alone here; write a column's name in braces, or a brace itself doubled: {{ or }}")]
    [InlineData("{junk}", "{password}", "job.yaml:9:26: the column 'password' holds a secret by its use in another place, and would be shown here; use another column")]
    [InlineData("    state:", "    sate:", "job.yaml:10:5: unknown key 'sate'; did you mean 'state'?")]
    [InlineData("for_each: accounts.csv", "for_each: acounts.csv", "job.yaml:3:15: ")]
    [InlineData("for_each: accounts.csv", "for_each: { file: accounts.csv, delimiter: ab }", "job.yaml:3:48: this is no delimiter; write one character, for example \";\", or tab")]
    [InlineData("for_each: accounts.csv", "for_each: { path: accounts.csv }", "job.yaml:3:5: 'file' is missing here")]
    public void Mistakes_of_the_job_file_are_told_once_however_many_rows_there_are(string text, string other, string told)
    {
        Rows([Header, .. Enumerable.Range(0, 500).Select(i => $"u{i},a{i},p,example.org,Junk")]);
        var errors = Errors(Template.Replace(text, other, StringComparison.Ordinal));
        Assert.StartsWith(told, errors[0], StringComparison.Ordinal);
        Assert.InRange(errors.Count, 1, 2);
    }

    [Theory]
    [InlineData("password_command: \"pass show {login}\"", "a; rm -rf ~", "'login' can't be a part of a command")]
    [InlineData("password_command: \"pass show {login}\"", "$(id)", "'login' can't be a part of a command")]
    [InlineData("password_command: \"pass show {login}\"", "--clip", "'login' can't be a part of a command")]
    [InlineData("password_file: \"secrets/{login}\"", "../alice", "'login' can't be a part of a path")]
    [InlineData("password_file: \"secrets/{login}\"", "..", "'login' can't be a part of a path")]
    public void A_cell_is_never_more_than_the_part_it_stands_for(string secret, string cell, string told)
    {
        Rows("user,login", $"alice,{cell}");
        var error = Error($"""
            jobs:
              - name: "{"{user}"}"
                for_each: accounts.csv
                source: {"{"} url: "imaps://x@imap.example.org", {secret} {"}"}
                target: {"{"} url: "maildir:backup/{"{user}"}" {"}"}
            """);
        Assert.StartsWith("accounts.csv:2:2: ", error, StringComparison.Ordinal);
        Assert.Contains(told, error, StringComparison.Ordinal);
        Assert.DoesNotContain($"'{cell}'", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("source: { url: \"eml:mail/{login}\" }", "..", "can't be a part of a path")]
    [InlineData("source: { url: \"imap-backup:mail/{login}\" }", "../bob", "can't be a part of a path")]
    [InlineData("source: { url: \"takeout:{login}.mbox\" }", "/etc/x", "can't be a part of a path")]
    [InlineData("source: { url: \"{login}:mail/x\" }", "maildir", "no scheme of a server's URL")]
    [InlineData("source: { url: \"maildir:in\" }\n    snapshots: { daily: 1, directory: \"snapshots/{login}\" }", "../..", "can't be a part of a path")]
    [InlineData("source: { url: \"maildir:in\" }\n    notify: [ { command: \"tell {login}\" } ]", "x; id", "can't be a part of a command")]
    [InlineData("source: { url: \"imaps://a@h\", password: x, proxy: \"socks5://{login}\" }", "h/../x", "no host")]
    public void A_cell_leaves_no_place_that_the_job_file_gave_it(string source, string cell, string told)
    {
        Rows("user,login", $"alice,{cell}");
        var error = Error($$"""
            jobs:
              - name: "{user}"
                for_each: accounts.csv
                {{source}}
                target: { url: "maildir:backup/{user}" }
            """);
        Assert.StartsWith("accounts.csv:2:2: ", error, StringComparison.Ordinal);
        Assert.Contains(told, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("proxy: \"{login}\"", "socks5://127.0.0.1:1080", null)]
    [InlineData("proxy: \"{login}://127.0.0.1:1080\"", "http", null)]
    [InlineData("proxy: \"socks5://{login}:1080\"", "127.0.0.1", null)]
    [InlineData("proxy: \"{login}\"", "maildir:/etc", "this is no proxy's address")]
    [InlineData("proxy: \"{login}://127.0.0.1:1080\"", "imaps", "this is no proxy's address")]
    [InlineData("proxy: \"{login}://127.0.0.1:1080\"", "http://h/", "is no scheme of a URL")]
    [InlineData("mail: \"{login}\"", "smtps://smtp.example.org", null)]
    [InlineData("mail: \"{login}://smtp.example.org\"", "smtp", null)]
    [InlineData("mail: \"smtps://{login}\"", "smtp.example.org:465", null)]
    [InlineData("mail: \"{login}\"", "imaps://a@h", "this is no mail server")]
    [InlineData("mail: \"{login}\"", "smtps://a:pw@h", "a URL must not hold a password")]
    public void The_server_of_a_proxy_or_of_mail_may_stand_in_cells(string setting, string cell, string? told)
    {
        Rows("user,login", $"alice,{cell}");
        var isMail = setting.StartsWith("mail: ", StringComparison.Ordinal);
        var text = $$"""
            jobs:
              - name: "{user}"
                for_each: accounts.csv
                source: { url: "imaps://a@h", password: x{{(isMail ? "" : ", " + setting)}} }
                target: { url: "maildir:backup/{user}" }
                {{(isMail ? $"notify: [ {{ mail: {{ server: {setting[6..]}, from: a@example.org, to: [b@example.org] }} }} ]" : "")}}
            """;
        if (told is null)
            Assert.Single(Read(text).Jobs);
        else
            Assert.Contains(Errors(text), e => e.Contains(told, StringComparison.Ordinal));
    }

    private const string People = """
        version: 1

        dn: ou=people,dc=example

        # search result
        dn: uid=alice,ou=people,dc=example
        uid: alice
        mail: alice@example.org
        mail: a@example.org
        userPassword:: cMOkc3Mg

        dn: uid=bob,ou=people,dc=example
        uid: bob
        mail: bob@exam
         ple.org
        userPassword: hunter22

        """;

    private const string OfEntries = """
        jobs:
          - name: "{uid}"
            for_each: people.ldif
            source: { url: "imaps://{mail[1]}@imap.example.org", password: "{userPassword}" }
            target: { url: "maildir:backup/{uid}" }
        """;

    [Theory]
    [InlineData("people.ldif")]
    [InlineData("{ file: people.txt, format: ldif }")]
    [InlineData("{ command: cat people.txt, format: ldif, timeout: 20s }")]
    public async Task Each_entry_of_LDIF_is_a_job(string list)
    {
        System.IO.File.WriteAllText(Path.Combine(Directory, "people.ldif"), People);
        System.IO.File.Copy(Path.Combine(Directory, "people.ldif"), Path.Combine(Directory, "people.txt"));
        var file = Read(OfEntries.Replace("people.ldif", list.Replace("cat people.txt", $"cat {Path.Combine(Directory, "people.txt")}", StringComparison.Ordinal), StringComparison.Ordinal));
        Assert.Equal(["alice", "bob"], file.Jobs.Select(j => j.Name));
        var (alice, bob) = ((ImapEndpoint)file.Jobs[0].Source, (ImapEndpoint)file.Jobs[1].Source);
        Assert.Equal(("alice@example.org", "bob@example.org"), (alice.User, bob.User));
        Assert.Equal("päss ", (await alice.Password!.ReadAsync(TestContext.Current.CancellationToken)).Reveal());
        Assert.Equal(6, file.Jobs[0].Row!.Line);
        Assert.Contains(file.Notes, n => n.Message.EndsWith("which make no job: 1", StringComparison.Ordinal));
        Assert.DoesNotContain(file.Notes, n => n.Message.Contains("this file holds a password", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_wrong_in_entries_is_told_at_once_by_line_and_without_a_secret()
    {
        System.IO.File.WriteAllText(Path.Combine(Directory, "people.ldif"), People + "\ndn: uid=carol\nuid: carol/x\nmail: c@x\nuserPassword: hunter33\n\ndn: uid=dave\nuid: dave\nmail: d@x\n");
        Assert.Equal(
            [
                "people.ldif:6: 'mail' has 2 values in this entry; name one of them, {mail[1]} is the first, or leave one",
                "people.ldif:18: the cell of 'uid' can't be a part of a path; write a name without / that is not . or .. or ~, so that each row stays in the job file's directory",
                "people.ldif:23: the cell of 'userPassword' is empty; fill it in, or remove the row",
            ],
            Errors(OfEntries.Replace("{mail[1]}", "{mail}", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("{ command: 'printf \"user,password\\\\nalice,hunter22\\\\n\"' }", null)]
    [InlineData("{ command: 'printf \"user;password\\\\nalice;hunter22\\\\n\"', delimiter: ';' }", null)]
    [InlineData("{ command: 'printf \"user,password\\\\nalice,hunter22\\\\n\"; echo no such base >&2; exit 32' }", "the command ended with exit status 32: no such base; run it by hand")]
    [InlineData("{ command: 'sleep 600', timeout: 1s }", "the command did not end within 1 seconds; give it more time")]
    [InlineData("{ command: 'echo' }", "there is no header row")]
    [InlineData("{ command: 'true', timeout: 60d }", "'60d' is no length of time for 'timeout'")]
    [InlineData("{ command: 'yes hunter22', timeout: 50s }", "the command prints more than 64 MiB")]
    [InlineData("{ command: 'printf \"user,password\\\\nalice,hunter22,x\\\\n\"' }", "output of 'command' at job.yaml:3:2:2: this row has 3 cells")]
    [InlineData("{ command: 'true', file: accounts.csv }", "'command' contradicts 'file'")]
    [InlineData("{ file: accounts.csv, timeout: 1s }", "'timeout' says nothing without 'command'")]
    [InlineData("{ command: 'true', format: ldif, delimiter: ';' }", "'delimiter' is about CSV")]
    [InlineData("{ command: 'true', format: ldif }", "there is no entry in it")]
    [InlineData("{ command: 'printf \"dn: a\\\\nuser: alice\\\\npassword: x\\\\n\\\\n\"', format: ldif }", null)]
    [InlineData("{ command: 'echo hunter22', format: ldif }", "output of 'command' at job.yaml:3:1: this line does not begin with an attribute's name")]
    public void A_command_may_print_the_list(string list, string? told)
    {
        var text = $$"""
            jobs:
              - name: "{user}"
                for_each: {{list}}
                source: { url: "imaps://{user}@imap.example.org", password: "{password}" }
                target: { url: "maildir:backup/{user}" }
            """;
        if (told is null)
        {
            Assert.Equal("alice", Assert.Single(Read(text).Jobs).Name);
            return;
        }

        var errors = Errors(text);
        Assert.Contains(errors, e => e.Contains(told, StringComparison.Ordinal));
        Assert.DoesNotContain(errors, e => e.Contains("hunter22", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stop_ends_the_command_that_prints_the_list_and_is_no_mistake_of_the_file()
    {
        var begun = Path.Combine(Directory, "begun");
        using (var made = System.Diagnostics.Process.Start("mkfifo", [begun]))
            await made.WaitForExitAsync(TestContext.Current.CancellationToken);
        using var stop = new CancellationTokenSource();
        var text = OfEntries.Replace("people.ldif", $"{{ command: 'echo >{begun}; sleep 50', timeout: 40s }}", StringComparison.Ordinal);
        var reading = Task.Run(() => JobFileReader.Parse(Path.Combine(Directory, "job.yaml"), text, new JobFileOptions { Environment = Environment, Stop = stop.Token }), TestContext.Current.CancellationToken);
        await System.IO.File.ReadAllTextAsync(begun, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Theory]
    [InlineData("maildir:/etc", "no URL of an account on a server")]
    [InlineData("imaps://a:pw@h", "holds a password")]
    [InlineData("imaps://a@h/INBOX", "names more than a host")]
    public void A_whole_URL_in_a_cell_is_checked_as_one_and_leads_to_no_directory(string cell, string told)
    {
        Rows("user,url", $"alice,{cell}");
        Assert.Contains(told, Error("""
            jobs:
              - name: "{user}"
                for_each: accounts.csv
                source: { url: "{url}", password_env: ALICE_PASSWORD }
                target: { url: "maildir:backup/{user}" }
            """), StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_in_the_wrong_columns_place_is_not_repeated()
    {
        Rows("user,password,tls", "alice,hunter22,hunter22");
        var errors = Errors("""
            jobs:
              - name: "{user}"
                for_each: accounts.csv
                source: { url: "imap://a@h", password: "{password}", tls: "{tls}" }
                target: { url: "maildir:backup/{user}" }
            """);
        Assert.NotEmpty(errors);
        Assert.DoesNotContain(errors, e => e.Contains("hunter22", StringComparison.Ordinal));
    }

    [Fact]
    public void A_table_of_passwords_that_others_can_read_is_noted_once()
    {
        Rows([Header, .. Enumerable.Range(0, 50).Select(i => $"u{i},a{i},p,example.org,Junk")]);
        if (!OperatingSystem.IsWindows())
            System.IO.File.SetUnixFileMode(Path.Combine(Directory, "accounts.csv"), (UnixFileMode)0b110_100_100);
        Assert.Equal("accounts.csv holds passwords and can be read by other users; chmod 600 it", Assert.Single(Read(Template).Notes).Message);
    }

    [Fact]
    public void Only_the_rows_that_are_asked_for_are_run()
    {
        Rows([Header, .. Enumerable.Range(0, 50).Select(i => $"u{i},a{i},p,example.org,Junk")]);
        var options = new JobFileOptions { Environment = Environment, Jobs = ["u7", "u9"] };
        Assert.Equal(["u7", "u9"], Read(Template, options).Jobs.Select(j => j.Name));
        var error = Assert.Single(Assert.Throws<ConfigurationException>(() => Read(Template, options with { Jobs = ["u77"] })).Errors);
        Assert.Contains("there is no job 'u77' in this file; did you mean 'u7'?", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Limits_of_hosts_reach_every_endpoint_there_and_one_that_nothing_has_is_refused()
    {
        Rows([Header, .. Enumerable.Range(0, 3).Select(i => $"u{i},a{i},p,example.org,Junk")]);
        var hosts = "\nhosts:\n  imap.example.org: { connections: 50, messages_per_second: 100, bytes_per_second: 10MB }\n";
        var file = Read(Template + hosts);
        Assert.All(file.Jobs, j => Assert.Equal(
            new HostLimits("imap.example.org") { Connections = 50, MessagesPerSecond = 100, BytesPerSecond = 10_000_000 }, ((ImapEndpoint)j.Source).HostLimits));
        Assert.Contains("no job has an account at 'imap.exmaple.org'; did you mean 'imap.example.org'?", Error(Template + hosts.Replace("example", "exmaple", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("'0' is no number of connections", Error(Template + hosts.Replace("50", "0", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("unknown key 'connection'", Error(Template + hosts.Replace("connections", "connection", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void Fifty_thousand_rows_are_jobs_that_cost_little()
    {
        var text = new StringBuilder(Header).Append('\n');
        for (var i = 0; i < 50_000; i++)
            text.Append(CultureInfo.InvariantCulture, $"u{i},a{i},password-{i},example.org,Junk\n");
        System.IO.File.WriteAllText(Path.Combine(Directory, "accounts.csv"), text.ToString());
        GC.Collect();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var file = Read(Template);
        var held = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.Equal(50_000, file.Jobs.Length);
        Assert.InRange(held / file.Jobs.Length, 0, 3000);
        GC.KeepAlive(file);
    }

    private void Rows(params IEnumerable<string> lines) => System.IO.File.WriteAllLines(Path.Combine(Directory, "accounts.csv"), lines);
}
