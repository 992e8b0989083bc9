using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>A Dovecot with a small mailbox, and the home directory of a user who sets up a backup of it.</summary>
public sealed class InitLab : IAsyncDisposable
{
    /// <summary>A password that no quoting changes, so that a search finds it wherever it is stored.</summary>
    public const string Password = "Tr0ub4dor-and-3-unlikely-words";

    private InitLab(BackupLab backup) => Backup = backup;

    public BackupLab Backup { get; }

    public string Home => Backup.Dir.Create("home");

    public string Server => $"imaps://localhost:{Backup.Server.TlsPort}";

    public string PasswordFile => Path.Combine(Home, ".config/imapsync/alice@localhost-source.password");

    public string JobFile => Path.Combine(Home, "alice@localhost.yaml");

    /// <summary>The whole dialogue: the beginning of each question, and its answer.</summary>
    public (string Question, string Answer)[] Dialogue =>
    [
        ("Address of the mailbox", "alice@localhost"),
        ("IMAP server", Server),
        ("Its SHA-256 fingerprint", "yes"),
        ("Password for", Password),
        ("Where to:", "mail"),
        ("Folders to leave out", ""),
        ("Job file", ""),
        ("Run it every day", "cron"),
        ("Copy everything now?", ""),
    ];

    public static async Task<InitLab> StartAsync() => new(await BackupLab.StartAsync(
        source =>
        {
            var day = new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
            foreach (var (folder, count) in new[] { ("INBOX", 12), ("Archive", 30), ("Junk", 4), ("Sent", 7) })
            {
                for (var i = 0; i < count; i++)
                {
                    var text = $"From: bob@example.org\nTo: alice@localhost\nSubject: {folder} {i}\nMessage-ID: <{folder}-{i}@example.org>\nDate: Sun, 01 Mar 2026 08:00:00 +0000\n\n{new string('x', 60 * (i + 1))}\n";
                    source.Add(folder, System.Text.Encoding.ASCII.GetBytes(text), day.AddMinutes(i), "S");
                }
            }
        },
        new DovecotOptions { Password = Password }));

    /// <summary>The paths of all files in the home directory, relative to it.</summary>
    public IReadOnlyList<string> Files() =>
        [.. Directory.EnumerateFileSystemEntries(Home, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Home, f)).Order(StringComparer.Ordinal)];

    public async Task<ImapsyncResult> RunAsync(params IEnumerable<string> arguments)
    {
        await using var process = ImapsyncProcess.Start(Home, arguments, Backup.Environment);
        return await process.WaitAsync();
    }

    /// <summary>Runs <c>init</c> without a terminal, with every answer given as an option.</summary>
    public Task<ImapsyncResult> InitAsync(params IEnumerable<string> more) => RunAsync(
    [
        "init", "alice@localhost", "--yes", "--source-url", Server, "--source-tls-ca-file", Backup.Server.Authority.CaFile, "--to", "maildir:mail", .. more,
    ]);

    public ValueTask DisposeAsync() => Backup.DisposeAsync();
}
