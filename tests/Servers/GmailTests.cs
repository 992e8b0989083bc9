using Imapsync.Tests.Support;
using Imapsync.Tests.Support.Gmail;

namespace Imapsync.Servers.Tests;

/// <summary>The program between a simulated Gmail and a real Dovecot.</summary>
public sealed class GmailTests
{
    [Fact]
    public async Task Labels_become_keywords_on_another_server_and_follow()
    {
        await using var gmail = new GmailServer(new GmailAccount());
        for (var i = 0; i < 300; i++)
            gmail.Account.Deliver(Mail(i), i % 3 == 0 ? ["\\Inbox", "Very important", "Lists/dev"] : i % 3 == 1 ? ["Entw&APw-rfe"] : []);
        await using var lab = await BackupLab.StartAsync(_ => { });
        lab.Endpoint = $"url: imap://alice@127.0.0.1:{gmail.Port}\n      tls: none\n      password: none";
        lab.Target = $"imap://alice@127.0.0.1:{lab.Server.Port}\n      tls: none\n      password_env: {BackupLab.PasswordVariable}";
        lab.Rules = "labels: keywords";
        var first = await lab.SucceedAsync();
        Assert.Equal(300, first.Total("copied"));
        first.AddsUp();
        Assert.Equal("100 × $Inbox Lists/dev Very_important, 100 × Entw=C3=BCrfe, 100 × none", await KeywordsAsync(lab));

        Assert.Equal(0, (await lab.SucceedAsync()).Total("copied"));

        gmail.Account.Change(() => gmail.Account.Messages[2].Labels.Add("New"));
        Assert.Equal(1, (await lab.SucceedAsync()).Total("flags_updated"));
        Assert.Equal("1 × New, 100 × $Inbox Lists/dev Very_important, 100 × Entw=C3=BCrfe, 99 × none", await KeywordsAsync(lab));
    }

    private static string Mail(int number) =>
        $"From: a@example.org\r\nMessage-ID: <{number}@example.org>\r\nSubject: {number}\r\n\r\ntext of {number}\r\n";

    /// <summary>The number of messages for each set of keywords.</summary>
    private static async Task<string> KeywordsAsync(BackupLab lab) => string.Join(", ", (await lab.SourceAsync()).Folders.Values
        .SelectMany(f => f.Messages)
        .GroupBy(m => string.Join(' ', m.Flags.Split(' ').Where(f => f.Length > 0 && f[0] != '\\').Order(StringComparer.Ordinal)))
        .Select(g => $"{g.Count()} × {(g.Key.Length == 0 ? "none" : g.Key)}")
        .Order(StringComparer.Ordinal));
}
