using System.Diagnostics;
using Imapsync.Engine.Stores.Maildir;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Peers;

/// <summary>Another mail program, run with its own configuration and without anybody at the keyboard.</summary>
public static class PeerProgram
{
    private static readonly TimeSpan RetryPolicy = TimeSpan.FromMinutes(1);

    /// <summary>Runs the program, asserts that it succeeds, and returns its output.</summary>
    public static async Task<string> RunAsync(string home, string name, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Command.Find(name), arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = home,
        };
        start.Environment["HOME"] = home;
        start.Environment["TERM"] = "xterm";
        using var process = Process.Start(start)!;
        // Standard input stays open, because a terminal program quits at the end of its input.
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(RetryPolicy, TimeProvider.System);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }

        var text = $"{await output}\n{await error}";
        Assert.True(process.ExitCode == 0, $"{name} ended with {process.ExitCode}\n{text}");
        return text;
    }

    /// <summary>Runs mbsync (isync), which copies the account's mail into a tree of Maildirs.</summary>
    /// <param name="inbox">The path of INBOX below the tree.</param>
    public static async Task MbsyncAsync(BackupLab lab, string tree, string subFolders, string inbox)
    {
        Directory.CreateDirectory(tree);
        var file = Path.Combine(lab.Dir.Create("mbsync"), "mbsyncrc");
        // With Maildir++ all folders are inside INBOX, so mbsync needs no Path setting.
        var path = subFolders == "Maildir++" ? "" : $"Path {tree}/\n";
        await File.WriteAllTextAsync(file, $"""
            IMAPAccount account
            Host 127.0.0.1
            Port {lab.Server.Port}
            User alice
            Pass {lab.Server.Password}
            AuthMechs LOGIN
            SSLType None

            IMAPStore far
            Account account

            MaildirStore near
            {path}Inbox {tree}/{inbox}
            SubFolders {subFolders}

            Channel mail
            Far :far:
            Near :near:
            Patterns *
            Create Near
            Expunge None
            Sync Pull
            CopyArrivalDate yes
            SyncState *

            """);
        await RunAsync(lab.Dir["mbsync"], "mbsync", "-q", "-c", file, "mail");
    }

    /// <summary>Runs OfflineIMAP, which syncs in both directions: it also uploads new mail in the tree to the account.</summary>
    public static async Task OfflineImapAsync(BackupLab lab, string tree, string separator)
    {
        Directory.CreateDirectory(tree);
        var home = lab.Dir.Create("offlineimap");
        var file = Path.Combine(home, "offlineimaprc");
        await File.WriteAllTextAsync(file, $"""
            [general]
            accounts = account
            metadata = {home}/metadata
            ui = quiet

            [Account account]
            localrepository = near
            remoterepository = far

            [Repository near]
            type = Maildir
            localfolders = {tree}
            sep = {separator}

            [Repository far]
            type = IMAP
            remotehost = 127.0.0.1
            remoteport = {lab.Server.Port}
            remoteuser = alice
            remotepass = {lab.Server.Password}
            auth_mechanisms = PLAIN
            ssl = no
            starttls = no

            """);
        await RunAsync(home, "offlineimap", "-o", "-c", file);
    }

    /// <summary>Runs mutt in a terminal: it opens a mailbox, executes the given functions, saves and quits.</summary>
    /// <param name="keys">Names of mutt functions, such as <c>&lt;flag-message&gt;</c>.</param>
    public static async Task MuttAsync(BackupLab lab, string mailbox, string keys)
    {
        var home = lab.Dir.Create("mutt");
        var file = Path.Combine(home, "muttrc");
        await File.WriteAllTextAsync(file, $"""
            set folder={home}
            set mbox_type=mbox
            set quit=yes
            set confirmappend=no
            set delete=yes
            set move=no
            push "{keys}<sync-mailbox><quit>"

            """);
        // The program script passes this command to a shell. Quotes around the paths are enough, because the paths contain none.
        await RunAsync(home, "script", "-qec", $"mutt -n -F '{file}' -f '{mailbox}'", "/dev/null");
    }
}
