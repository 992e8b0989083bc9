using System.Diagnostics;

namespace Imapsync.Tests.Support;

/// <summary>A private Cyrus IMAP server with a configurable delimiter. It rejects some messages that other servers accept.</summary>
public sealed class CyrusServer : UnpackedServer
{
    private readonly string extra;
    private readonly string mechanisms;

    private CyrusServer(string directory, string extra, string mechanisms)
        : base("cyrus", directory) => (this.extra, this.mechanisms) = (extra, mechanisms);

    private string Programs => Path.Combine(Root, "usr/lib/cyrus/bin");

    private string ConfigurationFile => Path.Combine(Directory, "imapd.conf");

    /// <param name="directory">A directory that outlives the server and is accessible to other users.</param>
    /// <param name="extra">
    /// Additional lines for imapd.conf. By default, <c>/</c> separates the levels of folders, which have no prefix.
    /// </param>
    /// <param name="mechanisms">The SASL mechanisms to offer.</param>
    public static async Task<CyrusServer> StartAsync(string directory, string extra = "", string mechanisms = "PLAIN")
    {
        var server = new CyrusServer(directory, extra, mechanisms);
        await server.StartAsync();
        return server;
    }

    protected override async Task<ProcessStartInfo> PrepareAsync()
    {
        var (user, _) = await ServerAccount.EnsureAsync();
        foreach (var name in (string[])["conf/socket", "spool"])
            System.IO.Directory.CreateDirectory(Path.Combine(Directory, name));
        await File.WriteAllTextAsync(ConfigurationFile, $"""
            configdirectory: {Directory}/conf
            partition-default: {Directory}/spool
            defaultpartition: default
            cyrus_user: {user}
            servername: localhost
            virtdomains: off
            allowplaintext: yes
            sasl_mech_list: {mechanisms}
            sasl_pwcheck_method: auxprop
            sasl_auxprop_plugin: sasldb
            sasl_sasldb_path: {Directory}/sasldb
            autocreate_quota: 0
            maxlogins_per_user: 0
            {extra}

            """.ReplaceLineEndings("\n"));
        var services = Path.Combine(Directory, "cyrus.conf");
        await File.WriteAllTextAsync(services, $$"""
            START {
              recover cmd="{{Programs}}/ctl_cyrusdb -C {{ConfigurationFile}} -r"
            }
            SERVICES {
              imap cmd="{{Programs}}/imapd -C {{ConfigurationFile}}" listen="127.0.0.1:{{Port}}" prefork=1
              pop3 cmd="{{Programs}}/pop3d -C {{ConfigurationFile}}" listen="127.0.0.1:{{Pop3Port}}"
            }

            """);
        foreach (var name in Users)
        {
            await Command.RunAsync("env", [.. Environment(), "sh", "-c",
                $"printf %s {Password} | {Root}/usr/sbin/saslpasswd2 -p -c -f {Directory}/sasldb -u localhost {name}"]);
        }

        await ServerAccount.TakeOwnershipAsync(Directory);
        return new ProcessStartInfo("env", [.. Environment(),
            Path.Combine(Programs, "master"), "-C", ConfigurationFile, "-M", services, "-p", Path.Combine(Directory, "master.pid")]);
    }

    private IEnumerable<string> Environment() =>
        [$"LD_LIBRARY_PATH={Root}/{LibraryDirectory}", $"SASL_PATH={Root}/{LibraryDirectory}/sasl2:/{LibraryDirectory}/sasl2"];
}
