using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.State;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Verifying;
using Imapsync.Tests.Support;
using Imapsync.Tests.Support.Gmail;

namespace Imapsync.Engine.Tests.Stores.Labels;

/// <summary>A Gmail account on a test server, and a job from it with the real client and engine.</summary>
internal sealed class GmailFixture : IAsyncDisposable
{
    private readonly TempDir directory = new();

    public GmailFixture(LabelPolicy labels, GmailAccount? account = null)
    {
        Server = new GmailServer(account ?? new GmailAccount());
        Job = new JobDefinition("gmail", Endpoint(Server), new MaildirEndpoint(directory["mail"]))
        {
            Labels = labels,
            StateDirectory = directory["state"],
            Deletions = DeletionPolicy.Keep,
        };
    }

    public GmailServer Server { get; }

    public GmailAccount Account => Server.Account;

    public JobDefinition Job { get; set; }

    /// <summary>The notes that the run reported to the user.</summary>
    public List<string> Notes { get; } = [];

    public static ImapEndpoint Endpoint(GmailServer server, int connections = 1) => new("127.0.0.1", server.Port, TlsMode.None, "alice")
    {
        Connections = connections,
        Auth = AuthMechanism.Login,
    };

    public static string Mail(string id) => $"From: a@example.org\r\nMessage-ID: <{id}@example.org>\r\nSubject: {id}\r\n\r\ntext of {id}\r\n";

    public async Task<JobReport> RunAsync(bool dryRun = false)
    {
        Notes.Clear();
        var runner = new JobRunner(
            new ImpatientTime(),
            Openers.Both((endpoint, forWriting, context, c) => StoreRegistry.OpenTargetAsync(endpoint, forWriting, context with { Time = TimeProvider.System }, c)),
            FileMedium.Opener(TimeProvider.System));
        return await runner.RunAsync(Job, new RunOptions(dryRun), e => Notes.Add($"{e}"), CancellationToken.None, TestContext.Current.CancellationToken);
    }

    /// <summary>Verifies the target against the source, octet by octet.</summary>
    public async Task<VerifyReport> VerifyAsync()
    {
        var runner = new VerifyRunner(TimeProvider.System, StoreRegistry.Opener);
        return await runner.RunAsync(
            Job, new VerifyOptions(Full: true), _ => { }, _ => { }, CancellationToken.None, TestContext.Current.CancellationToken);
    }

    /// <summary>The Maildir target as text: each folder with the subjects and flags of its messages; empty folders are left out.</summary>
    public string Target()
    {
        var folders = new List<string>();
        foreach (var path in Directory.EnumerateDirectories(directory["mail"], ".*").Append(directory["mail"]).Where(d => Directory.Exists(Path.Combine(d, "cur"))).Order(StringComparer.Ordinal))
        {
            var keywords = File.Exists(Path.Combine(path, "dovecot-keywords"))
                ? File.ReadLines(Path.Combine(path, "dovecot-keywords")).Select(l => l.Split(' ', 2)).ToDictionary(l => (char)('a' + int.Parse(l[0])), l => l[1])
                : [];
            var messages = new[] { "cur", "new" }.SelectMany(d => Directory.EnumerateFiles(Path.Combine(path, d))).Select(f => Describe(f, keywords)).Order(StringComparer.Ordinal).ToList();
            var name = path == directory["mail"] ? "INBOX" : string.Join('/', Path.GetFileName(path)[1..].Split('.').Select(Imapsync.Tests.Support.ModifiedUtf7.Decode));
            if (messages.Count > 0)
                folders.Add($"{name}: {string.Join(", ", messages)}");
        }

        return string.Join('\n', folders);
    }

    public void ForgetState() => Directory.Delete(Job.StateDirectory, recursive: true);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        directory.Dispose();
    }

    private static string Describe(string file, Dictionary<char, string> keywords)
    {
        var subject = File.ReadLines(file).First(l => l.StartsWith("Subject: ", StringComparison.Ordinal))[9..];
        var name = Path.GetFileName(file);
        var info = name.IndexOf(":2,", StringComparison.Ordinal);
        var letters = info < 0 ? "" : name[(info + 3)..];
        var flags = letters.Where(char.IsUpper).Select(l => $"{l}").Concat(letters.Where(char.IsLower).Select(l => keywords[l]).Order(StringComparer.Ordinal));
        return letters.Length == 0 ? subject : $"{subject} ({string.Join(' ', flags)})";
    }

    /// <summary>A clock whose timers are due at once, so back-off takes no time.</summary>
    private sealed class ImpatientTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime == Timeout.InfiniteTimeSpan ? dueTime : TimeSpan.Zero, period);
    }
}
