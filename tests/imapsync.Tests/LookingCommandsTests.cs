using System.Collections.Immutable;
using System.Text.Json;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.CommandLine.Tests;

/// <summary>The commands <c>check</c> and <c>folders</c>.</summary>
public sealed class LookingCommandsTests : CommandLineFixture
{
    public LookingCommandsTests() => OpenStore = endpoint => new ListedStore(endpoint.Display);

    [Fact]
    public async Task Check_shows_the_facts_of_both_sides()
    {
        Assert.Equal(0, await InvokeAsync("check", JobFile, "alice"));
        Assert.Equal($"""
            alice
              source  imaps://alice@imap.example.com:993  ok
                  software: Listed (all with -v)
                ! quota: 95 % used\x1B[2J
              target  maildir:{Directory}/backup/alice  ok
                  directory: not there yet, the first run creates it
              mail    3 folders, 1,248 messages, to be copied: 1,248
            Nothing stands in the way: imapsync run {JobFile} alice

            """, Out);
        Assert.False(System.IO.Directory.Exists(Path.Combine(Directory, "backup")));
    }

    [Fact]
    public async Task Check_shows_all_of_a_fact_with_verbose_and_to_programs()
    {
        Assert.Equal(0, await InvokeAsync("check", JobFile, "alice", "-v"));
        Assert.Contains("software: Listed 1.2.3 of 2026\n", Out, StringComparison.Ordinal);
        var before = Out.Length;
        Assert.Equal(0, await InvokeAsync("check", JobFile, "alice", "--output", "json"));
        using var json = JsonDocument.Parse(Out[before..]);
        Assert.Equal("Listed 1.2.3 of 2026", json.RootElement.GetProperty("jobs")[0].GetProperty("source").GetProperty("facts")[0].GetProperty("value").GetString());
    }

    [Theory]
    [InlineData("", "! Labels: a message lies in All Mail and in the folder of each of its labels")]
    [InlineData("folders", "  Labels: as folders")]
    [InlineData("keywords", "  Labels: as keywords")]
    public async Task Check_tells_what_is_made_of_labels_and_warns_without_a_choice(string labels, string told)
    {
        OpenStore = endpoint => new ListedStore(endpoint.Display, hasLabels: true);
        Assert.Equal(0, await InvokeAsync("check", JobFile, "alice", "--set", $"alice.labels={labels}"));
        Assert.Contains(told, Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_warns_of_labels_that_are_on_neither_side()
    {
        Assert.Equal(0, await InvokeAsync("check", JobFile, "alice", "--set", "alice.labels=folders"));
        Assert.Contains("! Labels: neither", Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Folders_shows_that_label_folders_are_left_out()
    {
        OpenStore = endpoint => new ListedStore(endpoint.Display, hasLabels: true);
        Assert.Equal(0, await InvokeAsync("folders", JobFile, "alice", "--set", "alice.labels=keywords"));
        Assert.Contains("All Mail  All Mail", Out, StringComparison.Ordinal);
        Assert.Contains("INBOX is left out", Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_goes_on_after_a_failure_and_ends_with_its_status()
    {
        OpenStore = endpoint => throw new MailException(FailureScope.Store, false, $"{endpoint.Display}: refused") { Kind = FailureKind.Authentication };
        Assert.Equal(12, await InvokeAsync("check", JobFile, "--output", "json"));
        using var json = JsonDocument.Parse(Out);
        Assert.Equal(2, json.RootElement.GetProperty("jobs").GetArrayLength());
        Assert.Equal("imaps://alice@imap.example.com:993: refused", json.RootElement.GetProperty("jobs")[0].GetProperty("source").GetProperty("error").GetString());
        Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("jobs")[0].GetProperty("target").GetProperty("error").ValueKind);
    }

    [Fact]
    public async Task Folders_shows_the_mapping_with_counts()
    {
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "backup", "alice", "cur"));
        Assert.Equal(0, await InvokeAsync("folders", JobFile, "alice", "--set", "alice.folders.map.Sent Items=Sent"));
        Assert.Equal("""
            alice
              SOURCE      TARGET      MESSAGES  AT TARGET
              INBOX       INBOX          1,234      1,234
              Bj\x1B[31m  Bj\x1B[31m         7          7
              Sent Items  Sent               7          -

            """.Split('\n').Order(), Out.Split('\n').Order());
    }

    [Theory]
    [InlineData("check")]
    [InlineData("folders")]
    public async Task A_target_directory_that_holds_nothing_is_one_to_fill(string command)
    {
        var target = Path.Combine(Directory, "backup", "alice");
        System.IO.Directory.CreateDirectory(Path.Combine(target, "lost+found"));
        OpenStore = endpoint => endpoint is ImapEndpoint ? new ListedStore(endpoint.Display) : throw new MailException(FailureScope.Store, false, "there is no Maildir");
        Assert.Equal(0, await InvokeAsync(command, JobFile, "alice"));
        Assert.Equal(command == "check", Out.Contains("directory: empty, the first run fills it", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Check_says_that_a_target_can_t_be_made_below_a_file()
    {
        await File.WriteAllTextAsync(Path.Combine(Directory, "backup"), "", TestContext.Current.CancellationToken);
        Assert.Equal(1, await InvokeAsync("check", JobFile, "alice"));
        Assert.Contains($"{Path.Combine(Directory, "backup")} is a file", Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Folders_adds_up_sizes_when_asked()
    {
        Assert.Equal(0, await InvokeAsync("folders", JobFile, "alice", "--sizes", "--output", "json"));
        using var json = JsonDocument.Parse(Out);
        var inbox = json.RootElement.GetProperty("jobs")[0].GetProperty("folders").EnumerateArray().Single(f => f.GetProperty("source").GetString() == "INBOX");
        Assert.Equal((300, 1), (inbox.GetProperty("source_bytes").GetInt64(), inbox.GetProperty("source_unsized").GetInt64()));
        Assert.False(inbox.GetProperty("target_exists").GetBoolean());
        Assert.Equal(JsonValueKind.Null, inbox.GetProperty("target_messages").ValueKind);
    }

    [Fact]
    public async Task A_number_that_is_not_told_is_shown_as_unknown_and_never_as_0()
    {
        OpenStore = endpoint => new ListedStore(endpoint.Display, isUnknown: true);
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "backup", "alice", "cur"));
        Assert.Equal(0, await InvokeAsync("folders", JobFile, "alice", "--set", "alice.folders.map.Sent Items=Sent", "--sizes"));
        Assert.Equal("""
            alice
              SOURCE      TARGET      MESSAGES  AT TARGET                        SIZE
              INBOX       INBOX              ?          ?  300 B and 1 message of ?
              Bj\x1B[31m  Bj\x1B[31m         ?          ?  300 B and 1 message of ?
              Sent Items  Sent               ?          -  300 B and 1 message of ?

            """.Split('\n').Select(Squeezed).Order(), Out.Split('\n').Select(Squeezed).Order());
        static string Squeezed(string line) => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(0, await InvokeAsync("folders", JobFile, "alice", "--output", "json"));
        using var folders = JsonDocument.Parse(Out[Out.LastIndexOf("\n{", StringComparison.Ordinal)..]);
        var inbox = folders.RootElement.GetProperty("jobs")[0].GetProperty("folders")[0];
        Assert.Equal((JsonValueKind.Null, true, JsonValueKind.Null), (inbox.GetProperty("source_messages").ValueKind, inbox.GetProperty("target_exists").GetBoolean(), inbox.GetProperty("target_messages").ValueKind));

        Assert.Equal(0, await InvokeAsync("check", JobFile, "alice", "--sizes"));
        Assert.Contains("in no sum, since nothing tells their messages: 6 folders; of unknown size: 6 messages", Out, StringComparison.Ordinal);
        Assert.Equal(0, await InvokeAsync("check", JobFile, "alice", "--output", "json"));
        using var check = JsonDocument.Parse(Out[Out.LastIndexOf("\n{", StringComparison.Ordinal)..]);
        var size = check.RootElement.GetProperty("jobs")[0].GetProperty("size");
        Assert.Equal((6, 0), (size.GetProperty("uncounted").GetInt32(), size.GetProperty("unsized").GetInt64()));
    }

    [Fact]
    public async Task What_the_target_does_not_tell_is_not_said_to_be_left()
    {
        OpenStore = endpoint => new ListedStore(endpoint.Display, isUnknown: endpoint is MaildirEndpoint);
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "backup", "alice", "cur"));
        Assert.Equal(0, await InvokeAsync("check", JobFile, "alice", "--output", "json"));
        using var check = JsonDocument.Parse(Out);
        var size = check.RootElement.GetProperty("jobs")[0].GetProperty("size");
        Assert.Equal((1248, 0, 3), (size.GetProperty("messages").GetInt32(), size.GetProperty("messages_left").GetInt32(), size.GetProperty("uncounted").GetInt32()));
    }

    [Fact]
    public async Task Check_of_a_list_that_a_command_prints_names_jobs_and_bad_rows_and_no_secret()
    {
        var file = Path.Combine(Directory, "bulk.yaml");
        await File.WriteAllTextAsync(file, """
            jobs:
              - name: "{user}"
                for_each: { command: 'printf "user,password\nalice,hunter22\nbob,\n"' }
                source: { url: "imaps://{user}@imap.example.com", password: "{password}" }
                target: { url: "maildir:backup/{user}" }
            """, TestContext.Current.CancellationToken);
        var csv = Path.Combine(Directory, "checked.csv");
        Assert.Equal(2, await InvokeAsync("check", file, "--csv", csv));
        var written = await File.ReadAllTextAsync(csv, TestContext.Current.CancellationToken);
        Assert.Equal($"name,result,reason\r\nalice,ok,\r\noutput of 'command' at {file}:3:3,failed,the cell of 'password' is empty\r\n", written);
        Assert.DoesNotContain("hunter22", Out + Error + written, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Folders_of_a_store_that_cannot_be_reached_end_with_its_status()
    {
        OpenStore = _ => throw new MailException(FailureScope.Store, true, "no route") { Kind = FailureKind.Connect };
        Assert.Equal(11, await InvokeAsync("folders", JobFile));
        Assert.Contains("bob: no route", Error, StringComparison.Ordinal);
    }

}
