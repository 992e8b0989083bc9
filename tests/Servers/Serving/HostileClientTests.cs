using System.Net.Sockets;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Serving;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Serving;

/// <summary>Broken or malicious clients can end their own connection and harm nobody else.</summary>
public sealed class HostileClientTests
{
    private const string Odd = "(){}[]\"\\* %<>.\0\xFF1:,~+";

    [Fact]
    public async Task A_wrong_password_is_refused_and_the_third_ends_the_connection()
    {
        await using var lab = await Lab.StartAsync();
        await using var client = await RawImap.ConnectAsync(lab.Served.Port);
        await client.ReadLineAsync();
        Assert.StartsWith("BAD", (await client.CommandAsync("SELECT INBOX"))[^1], StringComparison.Ordinal);
        Assert.StartsWith("NO [AUTHENTICATIONFAILED]", (await client.CommandAsync("LOGIN alice wrong"))[^1], StringComparison.Ordinal);
        Assert.StartsWith("NO [AUTHENTICATIONFAILED]", (await client.CommandAsync($"LOGIN bob \"{ServedBackup.Password}\""))[^1], StringComparison.Ordinal);
        await client.Line.WriteAsync("x LOGIN alice \"\"\r\n"u8.ToArray());
        Assert.Null(await SkipToEndAsync(client));
        Assert.DoesNotContain(ServedBackup.Password, lab.Served.Notes, StringComparison.Ordinal);
        await lab.IsWellAsync();
    }

    [Theory]
    [InlineData("x LOGIN alice {999999999999999}\r\n", "x NO [TOOBIG]")]
    [InlineData("x LOGIN alice {999999999+}\r\n", "* BYE")]
    [InlineData("x LOGIN alice {100000+}\r\n", "* BYE")]
    [InlineData("x AUTHENTICATE PLAIN !!!\r\n", "x BAD")]
    [InlineData("x AUTHENTICATE GSSAPI\r\n", "x NO")]
    [InlineData("\r\n", "* BAD")]
    [InlineData("\0\0\0\r\n", "* BAD")]
    [InlineData("GET / HTTP/1.1\r\n", "GET BAD")]
    [InlineData("x STARTTLS\r\n", "x BAD")]
    public async Task A_stranger_who_says_this_is_answered_like_that(string said, string answer)
    {
        await using var lab = await Lab.StartAsync();
        await using var client = await RawImap.ConnectAsync(lab.Served.Port);
        await client.ReadLineAsync();
        await client.Line.WriteAsync(Encoding.Latin1.GetBytes(said));
        Assert.StartsWith(answer, await client.ReadLineAsync(), StringComparison.Ordinal);
        await lab.IsWellAsync();
    }

    [Fact]
    public async Task An_endless_line_ends_the_connection()
    {
        await using var lab = await Lab.StartAsync();
        await using var client = await lab.Served.ConnectAsync();
        var line = new byte[ServingLimits.Default.CommandBytes + 100];
        Array.Fill(line, (byte)'x');
        await client.Line.WriteAsync(line);
        Assert.StartsWith("* BYE", await client.ReadLineAsync(), StringComparison.Ordinal);
        await lab.IsWellAsync();
    }

    [Fact]
    public async Task A_message_somebody_wants_to_store_is_refused_and_the_conversation_goes_on()
    {
        await using var lab = await Lab.StartAsync();
        await using var client = await lab.Served.ConnectAsync();
        await client.Line.WriteAsync("x APPEND INBOX {5000000}\r\n"u8.ToArray());
        Assert.StartsWith("x NO", await client.ReadLineAsync(), StringComparison.Ordinal);
        await client.Line.WriteAsync("y APPEND INBOX {5000000+}\r\n"u8.ToArray());
        await client.Line.WriteAsync(new byte[5_000_000]);
        await client.Line.WriteAsync("\r\n"u8.ToArray());
        Assert.StartsWith("y NO", await client.ReadLineAsync(), StringComparison.Ordinal);
        Assert.StartsWith("NO [NOPERM]", (await client.CommandAsync("APPEND INBOX {3+}\r\nabc"))[^1], StringComparison.Ordinal);
        await client.OkAsync("EXAMINE INBOX");
        foreach (var change in (string[])["STORE 1 +FLAGS (\\Deleted)", "UID STORE 1 FLAGS ()", "EXPUNGE", "COPY 1 Sent", "UID MOVE 1 Sent", "CREATE x", "DELETE Sent", "RENAME Sent x", "SUBSCRIBE Sent"])
            Assert.StartsWith("NO [", (await client.CommandAsync(change))[^1], StringComparison.Ordinal);
        await client.OkAsync("CLOSE");
        Assert.Equal(lab.FilesBefore, lab.Files());
    }

    [Fact]
    public async Task Search_keys_too_deep_inside_one_another_are_refused()
    {
        await using var lab = await Lab.StartAsync();
        await using var client = await lab.Served.ConnectAsync();
        await client.OkAsync("EXAMINE INBOX");
        foreach (var deep in (string[])[string.Concat(Enumerable.Repeat("(", 5000)) + "ALL", string.Concat(Enumerable.Repeat("NOT ", 5000)) + "ALL", string.Join(' ', Enumerable.Repeat("ALL", 5000)), "OR " + string.Concat(Enumerable.Repeat("OR ", 40_000))])
            Assert.StartsWith("BAD", (await client.CommandAsync("SEARCH " + deep))[^1], StringComparison.Ordinal);
        Assert.StartsWith("BAD", (await client.CommandAsync("FETCH 1 (" + string.Join(' ', Enumerable.Repeat("FLAGS", 5000)) + ")"))[^1], StringComparison.Ordinal);
        Assert.StartsWith("BAD", (await client.CommandAsync("FETCH 1 BODY[" + string.Join('.', Enumerable.Repeat("1", 5000)) + "]"))[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_torn_mixed_and_damaged_at_random_are_all_answered()
    {
        const int seed = 20;
        await using var lab = await Lab.StartAsync();
        var random = new Random(seed);
        string[] commands =
        [
            "CAPABILITY", "NOOP", "ID NIL", "NAMESPACE", "LIST \"\" *", "LIST (SUBSCRIBED) \"\" (% \"a*\") RETURN (CHILDREN STATUS (MESSAGES UNSEEN))", "LSUB \"\" %", "STATUS INBOX (MESSAGES UIDNEXT)", "SELECT INBOX", "EXAMINE \"Entw&APw-rfe\"",
            "FETCH 1:* (FLAGS UID)", "UID FETCH 1,3:* (ENVELOPE BODYSTRUCTURE BODY.PEEK[1.HEADER.FIELDS (\"SUBJECT\" From)]<0.20>)", "FETCH 2 BODY[]", "SEARCH OR (SEEN LARGER 10) NOT SUBJECT \"x\"", "UID SEARCH RETURN (MIN MAX COUNT) CHARSET UTF-8 BODY {4+}\r\nword SINCE 1-Jan-2020",
            "CLOSE", "UNSELECT", "CHECK", "STORE 1 FLAGS ()", "APPEND INBOX (\\Seen) {3+}\r\nabc", "COPY 1 INBOX", "ENABLE CONDSTORE", "XYZZY",
        ];
        var connections = 0;
        RawImap? client = null;
        for (var i = 0; i < 4000; i++)
        {
            if (client is null)
            {
                client = await lab.Served.ConnectAsync();
                connections++;
            }

            var command = new StringBuilder(commands[random.Next(commands.Length)]);
            for (var damage = random.Next(4); damage > 0; damage--)
            {
                var at = random.Next(command.Length + 1);
                switch (random.Next(3))
                {
                    case 0:
                        command.Insert(at, Odd[random.Next(Odd.Length)]);
                        break;
                    case 1 when command.Length > 1:
                        command.Remove(Math.Min(at, command.Length - 1), 1);
                        break;
                    default:
                        command.Append(commands[random.Next(commands.Length)].AsSpan(0, 2));
                        break;
                }
            }

            // A NOOP on its own line ends an unfinished command, unless an unfinished literal takes the NOOP as part of its octets.
            await client.Line.WriteAsync(Encoding.Latin1.GetBytes($"f{i} {command}\r\nz{i} NOOP\r\n"));
            if (!await AnswersAsync(client, i))
            {
                await client.DisposeAsync();
                client = null;
            }
        }

        Assert.True(connections < 2000, $"{connections} connections, seed {seed}");
        Assert.DoesNotContain("defect", lab.Served.Notes, StringComparison.Ordinal);
        await lab.IsWellAsync();
    }

    [Fact]
    public async Task A_thousand_connections_leave_room_for_who_is_in_and_none_is_kept_waiting()
    {
        await using var lab = await Lab.StartAsync();
        await using var member = await lab.Served.ConnectAsync();
        var crowd = new List<TcpClient>();
        try
        {
            var turnedAway = 0;
            for (var i = 0; i < 1000; i++)
            {
                var one = new TcpClient();
                crowd.Add(one);
                await one.ConnectAsync("127.0.0.1", lab.Served.Port);
            }

            foreach (var one in crowd)
            {
                var buffer = new byte[200];
                var read = 0;
                try
                {
                    read = await one.GetStream().ReadAsync(buffer);
                }
                catch (IOException)
                {
                    // The server has reset the connection.
                }

                turnedAway += read == 0 || Encoding.ASCII.GetString(buffer, 0, read).StartsWith("* BYE", StringComparison.Ordinal) ? 1 : 0;
            }

            Assert.Equal(1000 - ServingLimits.Default.Strangers, turnedAway);
            Assert.NotEmpty(await member.OkAsync("LIST \"\" *"));
        }
        finally
        {
            crowd.ForEach(c => c.Dispose());
        }

        await lab.IsWellAsync();
    }

    [Fact]
    public async Task A_client_that_takes_no_answers_loses_its_connection_and_costs_a_bounded_amount()
    {
        await using var lab = await Lab.StartAsync(ServingLimits.Default with { StallTime = TimeSpan.FromSeconds(1) });
        await using var slow = await lab.Served.ConnectAsync();
        await slow.OkAsync("EXAMINE Big");
        // The client requests ten replies of 20 MB each and reads none of them.
        await slow.Line.WriteAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 10).Select(i => $"a{i} FETCH 1 BODY[]\r\n"))));
        await lab.Served.NotedAsync("takes no answer");
        await lab.IsWellAsync();
    }

    [Fact]
    public async Task A_server_that_ends_within_a_message_says_nothing_more_that_could_be_taken_for_a_part_of_it()
    {
        using var dir = new TempDir();
        var text = string.Concat(Enumerable.Range(0, 3_000_000).Select(i => $"{i:d8}\r\n"));
        new MaildirWriter(dir.Create("backup")).Add("INBOX", Encoding.ASCII.GetBytes(text.Replace("\r\n", "\n", StringComparison.Ordinal)), MailGenerator.Date(1));
        var served = await ServedBackup.StartAsync(new MaildirEndpoint(dir["backup"]), dir["memory"]);
        await using var client = await served.ConnectAsync();
        await client.OkAsync("EXAMINE INBOX");
        await client.Line.WriteAsync("x FETCH 1 BODY[]\r\n"u8.ToArray());
        using var taken = new MemoryStream();
        var piece = new byte[64 * 1024];
        // Read only the beginning of the message, so that the server is stopped while it sends. The rest does not fit into the network
        // buffers.
        while (taken.Length < piece.Length)
            taken.Write(piece.AsSpan(0, await client.Line.ReadAsync(piece)));
        var ending = served.DisposeAsync();
        try
        {
            while (await client.Line.ReadAsync(piece) is > 0 and var read)
                taken.Write(piece.AsSpan(0, read));
        }
        catch (IOException)
        {
            // The server closed the connection.
        }

        await ending;
        var said = Encoding.ASCII.GetString(taken.GetBuffer(), 0, (int)taken.Length);
        var message = said[(said.IndexOf('\n', StringComparison.Ordinal) + 1)..];
        Assert.True(message.Length < text.Length, "the answer was whole before the server ended");
        Assert.True(text.StartsWith(message, StringComparison.Ordinal), $"behind {message.Zip(text).TakeWhile(p => p.First == p.Second).Count()} octets something else was said: …{message[^40..]}");
    }

    [Fact]
    public async Task A_subject_is_found_in_a_header_longer_than_is_read_by_itself()
    {
        using var dir = new TempDir();
        var field = $"X-Long: {new string('x', 900)}\n";
        new MaildirWriter(dir.Create("backup")).Add("INBOX", Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(field, 1500)) + "Subject: needle\n\nx\n"), MailGenerator.Date(1));
        await using var served = await ServedBackup.StartAsync(new MaildirEndpoint(dir["backup"]), dir["memory"]);
        await using var client = await served.ConnectAsync();
        await client.OkAsync("EXAMINE INBOX");
        Assert.Equal(["* SEARCH 1"], await client.OkAsync("SEARCH SUBJECT needle"));
        Assert.Equal(["* SEARCH"], await client.OkAsync("SEARCH NOT SUBJECT needle"));
    }

    [Fact]
    public async Task Many_sets_in_one_search_are_answered_and_a_pattern_longer_than_any_name_is_not()
    {
        await using var lab = await Lab.StartAsync();
        await using var client = await lab.Served.ConnectAsync();
        await client.OkAsync("EXAMINE INBOX");
        var all = (await client.OkAsync("SEARCH ALL"))[0];
        Assert.Equal(all, (await client.OkAsync("SEARCH " + string.Join(' ', Enumerable.Repeat("1:* UID 1:*", 400))))[0]);
        Assert.StartsWith("BAD", (await client.CommandAsync("LIST \"\" " + new string('*', 200_000)))[^1], StringComparison.Ordinal);
    }

    /// <summary>Whether the server still answers on this connection.</summary>
    private static async Task<bool> AnswersAsync(RawImap client, int number)
    {
        try
        {
            while (await client.ReadLineAsync() is { } line)
            {
                if (line.StartsWith($"z{number} ", StringComparison.Ordinal))
                    return true;
                if (line.StartsWith("* BYE", StringComparison.Ordinal))
                    return false;
                // The server asks for the octets of a literal. The NOOP may count as these octets, so it may get no answer.
                if (line.StartsWith("+ ", StringComparison.Ordinal))
                    return false;
            }
        }
        catch (IOException)
        {
        }

        return false;
    }

    private static async Task<string?> SkipToEndAsync(RawImap client)
    {
        try
        {
            while (await client.ReadLineAsync() is { } line)
            {
                if (line.StartsWith("x OK", StringComparison.Ordinal))
                    return line;
            }
        }
        catch (IOException)
        {
        }

        return null;
    }

    private sealed class Lab : IAsyncDisposable
    {
        private readonly TempDir dir;

        public required ServedBackup Served { get; init; }

        public required string[] FilesBefore { get; init; }

        public static async Task<Lab> StartAsync(ServingLimits? limits = null)
        {
            var place = new TempDir();
            var mailbox = MailGenerator.Fill(place["backup"], new MailboxPlan { Messages = 60, MaxBytes = 20_000, AwkwardNames = true });
            var big = new byte[20_000_000];
            Array.Fill(big, (byte)'\n');
            mailbox.Add("Big", big, MailGenerator.Date(1));
            return new Lab(place)
            {
                Served = await ServedBackup.StartAsync(new MaildirEndpoint(place["backup"]), place["memory"], limits),
                FilesBefore = Listing(place),
            };
        }

        private Lab(TempDir dir) => this.dir = dir;

        public string[] Files() => Listing(dir);

        /// <summary>Asserts that another client is served as usual.</summary>
        public async Task IsWellAsync()
        {
            await using var client = await Served.ConnectAsync();
            await client.OkAsync("EXAMINE INBOX");
            Assert.NotEmpty(await client.OkAsync("FETCH 1 (ENVELOPE BODY.PEEK[])"));
        }

        public async ValueTask DisposeAsync()
        {
            await Served.DisposeAsync();
            dir.Dispose();
        }

        private static string[] Listing(TempDir dir) =>
            [.. Directory.EnumerateFileSystemEntries(dir["backup"], "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None }).Order(StringComparer.Ordinal)];
    }
}
