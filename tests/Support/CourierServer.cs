using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Imapsync.Tests.Support;

/// <summary>
/// A private Courier IMAP server, without the newer extensions; all its folders are below <c>INBOX.</c>. It is mounted over /usr and /etc
/// in its own mount namespace, because its paths are compiled in.
/// </summary>
public sealed class CourierServer : UnpackedServer
{
    private CourierServer(string directory)
        : base("courier", directory)
    {
    }

    public static async Task<CourierServer> StartAsync(string directory)
    {
        var server = new CourierServer(directory);
        await server.StartAsync();
        return server;
    }

    protected override async Task<ProcessStartInfo> PrepareAsync()
    {
        var (user, group) = await ServerAccount.EnsureAsync();
        var (uid, gid) = (await Command.RunAsync("id", ["-u", user]), await Command.RunAsync("id", ["-g", user]));
        System.IO.Directory.CreateDirectory(Directory);
        var settings = Path.Combine(Directory, "etc", "courier");
        if (!System.IO.Directory.Exists(settings))
        {
            System.IO.Directory.CreateDirectory(Path.Combine(Directory, "etc"));
            await Command.RunAsync("cp", ["-r", Path.Combine(Root, "etc", "courier"), settings]);
        }

        // Courier's programs look up a user named courier, which a regular installation would have created.
        await File.WriteAllTextAsync(Path.Combine(Directory, "etc", "passwd"), await File.ReadAllTextAsync("/etc/passwd") + $"courier:x:{uid}:{gid}::/:/bin/false\n");
        await File.WriteAllTextAsync(Path.Combine(Directory, "etc", "group"), await File.ReadAllTextAsync("/etc/group") + $"courier:x:{gid}:\n");
        var modules = Path.Combine(settings, "authdaemonrc");
        await File.WriteAllTextAsync(modules, Regex.Replace(
            await File.ReadAllTextAsync(modules), "(?m)^authmodulelist=.*$", "authmodulelist=\"authuserdb\"", RegexOptions.None, TimeSpan.FromSeconds(1)));
        var password = "{SHA256}" + Convert.ToBase64String(SHA256.HashData(Encoding.ASCII.GetBytes(Password)));
        var lines = Users.Select(u => $"{u}\tuid={uid}|gid={gid}|home={Directory}/mail/{u}|imappw={password}|pop3pw={password}\n");
        await File.WriteAllTextAsync(Path.Combine(settings, "userdb"), string.Concat(lines));
        await Command.RunAsync("chmod", ["600", Path.Combine(settings, "userdb")]);
        foreach (var name in from u in Users from d in (string[])["cur", "new", "tmp"] select Path.Combine(Directory, "mail", u, "Maildir", d))
            System.IO.Directory.CreateDirectory(name);
        await ServerAccount.TakeOwnershipAsync(Path.Combine(Directory, "mail"));
        var script = Path.Combine(Directory, "run.sh");
        await File.WriteAllTextAsync(script, Script());
        return new ProcessStartInfo("unshare", ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", script]);
    }

    /// <summary>The script is the first process of a PID namespace. When the script ends, all processes in the namespace end.</summary>
    private string Script() => $"""
        mount -t overlay overlay -o lowerdir={Root}/usr:/usr /usr || exit 1
        mount -t overlay overlay -o lowerdir={Directory}/etc:/etc /etc || exit 1
        mount -t tmpfs tmpfs /run
        mkdir -p /run/courier/authdaemon
        cd /
        /usr/sbin/makeuserdb -f {Directory}/etc/courier/userdb
        /usr/lib/courier/courier-authlib/authdaemond &
        (
          set -a
          . /etc/courier/pop3d
          exec /usr/sbin/couriertcpd -address=127.0.0.1 -maxprocs=40 -maxperip=40 -nodnslookup -noidentlookup {Pop3Port} \
            /usr/lib/courier/courier/courierpop3login /usr/lib/courier/courier/courierpop3d Maildir
        ) &
        set -a
        . /etc/courier/imapd
        MAXPERIP=40
        set +a
        umask "$IMAP_UMASK"
        exec /usr/sbin/couriertcpd -address=127.0.0.1 -maxprocs=40 -maxperip=40 -nodnslookup -noidentlookup {Port} \
          /usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir
        """.ReplaceLineEndings("\n");
}
