using System.Collections.Immutable;
using System.Text.Json;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.CommandLine.Tests;

/// <summary><c>check</c> and <c>folders</c>.</summary>
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
                  software: Listed
                ! quota: 95 % used\x1B[2J
              target  maildir:{Directory}/backup/alice  ok
                  directory: not there yet, the first run creates it
              mail    3 folders, 1,248 messages, to be copied: 1,248

            """, Out);
        Assert.False(System.IO.Directory.Exists(Path.Combine(Directory, "backup")));
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
        Assert.Equal(300, inbox.GetProperty("source_bytes").GetInt64());
        Assert.Equal(JsonValueKind.Null, inbox.GetProperty("target_messages").ValueKind);
    }

    [Fact]
    public async Task Folders_of_a_store_that_cannot_be_reached_end_with_its_status()
    {
        OpenStore = _ => throw new MailException(FailureScope.Store, true, "no route") { Kind = FailureKind.Connect };
        Assert.Equal(11, await InvokeAsync("folders", JobFile));
        Assert.Contains("bob: no route", Error, StringComparison.Ordinal);
    }

    /// <summary>A store with three folders that can be looked at.</summary>
    private sealed class ListedStore(string display, bool hasLabels = false) : IMessageStore
    {
        public StoreTraits Traits { get; } = new(display, false, 1, hasLabels);

        public Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<FolderEntry>>(
        [
            new FolderEntry(FolderPath.Inbox, Status: Status(1234)), new FolderEntry(new FolderPath("Sent Items")), new FolderEntry(new FolderPath("Bj\u001b[31m")),
            .. hasLabels ? [new FolderEntry(new FolderPath("All Mail"), Special: SpecialFolder.All)] : Array.Empty<FolderEntry>(),
        ]);

        public Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken) => Task.FromResult(Status(7));

        public Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken) => Task.FromResult<IMessageFolder>(new ListedFolder(path));

        public IAccessControl? AccessControl => null;

        public Task<UidCounters> GetUidCountersAsync(FolderPath path, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> ExistsAsync(FolderPath path, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IMessageFolder> OpenAgainAsync(FolderPath path, CancellationToken cancellationToken) => OpenAsync(path, cancellationToken);

        public FolderPath ListedAs(FolderPath path) => path;

        public Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<StoreFact>>([new StoreFact("software", "Listed"), new StoreFact("quota", "95 % used\u001b[2J", IsWarning: true)]);

        public Task<IWritableFolder> OpenForWritingAsync(FolderPath path, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task CreateFolderAsync(FolderPath path, SpecialFolder special, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task RenameFolderAsync(FolderPath from, FolderPath to, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task SetSubscribedAsync(FolderPath path, bool subscribed, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task SetSubscribedAsync(IReadOnlyDictionary<FolderPath, bool> wanted, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static FolderStatus Status(long messages) => new(new UidValidity(1), new Uid(9), messages);
    }

    private sealed class ListedFolder(FolderPath path) : IMessageFolder
    {
        public FolderPath Path => path;

        public FolderStatus Status => default;

        public IReadOnlyDictionary<Uid, Uid> Predecessors => ImmutableDictionary<Uid, Uid>.Empty;

        public UidValidity LastingUidValidity => default;

        public async IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            Assert.True(request.WithDateAndSize);
            await Task.CompletedTask;
            yield return new MessageInfo(new Uid(1), FlagSet.Empty, Size: 100);
            yield return new MessageInfo(new Uid(2), FlagSet.Empty, Size: -1);
            yield return new MessageInfo(new Uid(3), FlagSet.Empty, Size: 200);
        }

        public IAsyncEnumerable<MessageHeader> ReadHeadersAsync(UidSet uids, CancellationToken cancellationToken) => throw new NotSupportedException();

        public IAsyncEnumerable<IncomingMessage> ReadAsync(IEnumerable<MessageInfo> messages, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
