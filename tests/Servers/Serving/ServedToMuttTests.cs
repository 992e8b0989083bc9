using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Servers.Tests.Peers;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Serving;

/// <summary>A user reads a served backup with mutt in a terminal.</summary>
public sealed class ServedToMuttTests
{
    [Theory]
    [InlineData("maildir")]
    [InlineData("eml")]
    public async Task Mutt_lists_a_folder_shows_a_message_and_saves_one_and_nothing_of_the_backup_changes(string format)
    {
        using var dir = new TempDir();
        var mailbox = new MaildirWriter(dir.Create("backup"));
        for (var i = 1; i <= 3; i++)
            mailbox.Add("Entwürfe", Encoding.UTF8.GetBytes($"Message-ID: <{i}@b.example>\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe_{i}?=\nFrom: Ann Example <ann@b.example>\nDate: Mon, 02 Jun 2025 10:00:0{i} +0000\n\nline {i} of the text\n"), MailGenerator.Date(i), i == 1 ? "" : "S");
        Endpoint endpoint = format == "eml" ? new EmlEndpoint(dir["eml"]) : new MaildirEndpoint(dir["backup"]);
        if (format == "eml")
        {
            var copied = await ImapsyncProcess.Start(dir.Create("home"), ["copy", $"maildir:{dir["backup"]}", $"eml:{dir["eml"]}"]).WaitAsync();
            Assert.True(copied.Status == 0, copied.ToString());
        }

        var before = await StoreReader.ReadAsync(endpoint);
        await using var served = await ServedBackup.StartAsync(endpoint, dir["memory"]);
        var shown = await LookAsync(dir, served, $"<first-entry><pipe-message>cat > shown<enter><next-entry><copy-message>{dir["mutt"]}/kept<enter>");

        Assert.Contains("Grüße 1", shown, StringComparison.Ordinal);
        Assert.Contains("Grüße 3", shown, StringComparison.Ordinal);
        Assert.Contains("Ann Example", shown, StringComparison.Ordinal);
        var piped = await File.ReadAllTextAsync(Path.Combine(dir["mutt"], "shown"), TestContext.Current.CancellationToken);
        Assert.Contains("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe_1?=", piped, StringComparison.Ordinal);
        Assert.Contains("line 1 of the text", piped, StringComparison.Ordinal);
        Assert.Contains("line 2 of the text", await File.ReadAllTextAsync(Path.Combine(dir["mutt"], "kept"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        BackupLab.Same(before, await StoreReader.ReadAsync(endpoint));
    }

    /// <summary>Opens the folder, presses the keys and leaves. Returns everything that the terminal was sent.</summary>
    private static async Task<string> LookAsync(TempDir dir, ServedBackup served, string keys)
    {
        var file = Path.Combine(dir.Create("mutt"), "muttrc");
        await File.WriteAllTextAsync(file, $"""
            set folder={dir["mutt"]}
            set imap_user="{ServedBackup.User}"
            set imap_pass="{ServedBackup.Password}"
            set ssl_starttls=no
            set ssl_force_tls=no
            set charset=utf-8
            set mbox_type=mbox
            set confirmappend=no
            set confirmcreate=no
            set copy=yes
            set delete=no
            set move=no
            set quit=yes
            set wait_key=no
            set pipe_decode=no
            push "{keys}<exit>"

            """);
        return await PeerProgram.RunAsync(
            dir["mutt"], "script", "-qec", $"LC_ALL=C.UTF-8 mutt -n -F '{file}' -f 'imap://127.0.0.1:{served.Port}/Entwürfe'", "/dev/null");
    }
}
