using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Imapsync.Tests.Support;

/// <summary>
/// A Kerberos realm of the test's own: a KDC on a free loopback port, a service <c>imap/localhost</c> and whoever is added. Nothing of
/// the machine's own Kerberos is read or written.
/// </summary>
public sealed class KerberosRealm : IAsyncDisposable
{
    public const string Name = "IMAPSYNC.TEST";

    private readonly string directory;
    private Process? process;

    private KerberosRealm(string directory) => this.directory = directory;

    /// <summary>The environment of everyone who belongs to the realm.</summary>
    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["KRB5_CONFIG"] = this["krb5.conf"],
        ["KRB5_KDC_PROFILE"] = this["kdc.conf"],
    };

    public string ServiceKeytab => this["imap.keytab"];

    private string this[string name] => Path.Combine(directory, name);

    /// <param name="directory">One that others may read: the server's user has to get to the keytab.</param>
    public static async Task<KerberosRealm> StartAsync(string directory)
    {
        Directory.CreateDirectory(directory);
        var realm = new KerberosRealm(directory);
        for (var attempt = 1; ; attempt++)
        {
            var port = LoopbackPorts.TakeTwo().First;
            await realm.WriteAsync(port);
            if (attempt == 1)
            {
                await realm.RunAsync("kdb5_util", "create", "-s", "-r", Name, "-P", "of the database, in a test");
                await realm.AddAsync("imap/localhost", realm.ServiceKeytab);
            }

            if (await realm.TryStartAsync(port))
                return realm;
            // Somebody took the port between the look and the start: rare, and worth two more tries.
            if (attempt == 3)
                throw new InvalidOperationException("the KDC does not start:\n" + await File.ReadAllTextAsync(realm["kdc.log"]));
        }
    }

    /// <summary>A user with a password.</summary>
    public Task AddUserAsync(string user, string password) => RunAsync("kadmin.local", "-r", Name, "-q", $"addprinc -pw {password} {user}");

    /// <summary>A user, or a service, whose key lies in a file.</summary>
    /// <returns>The file.</returns>
    public async Task<string> AddAsync(string principal, string keytab)
    {
        await RunAsync("kadmin.local", "-r", Name, "-q", $"addprinc -randkey {principal}");
        await RunAsync("kadmin.local", "-r", Name, "-q", $"ktadd -k {keytab} {principal}");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(keytab, (UnixFileMode)0b110_100_100);
        return keytab;
    }

    /// <summary>Gets a ticket as <c>kinit</c> does, and puts it into a cache.</summary>
    public Task GetTicketAsync(string user, string keytab, string cache) => RunAsync("kinit", "-c", cache, "-k", "-t", keytab, user);

    public async ValueTask DisposeAsync()
    {
        if (process is null)
            return;
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        process = null;
    }

    private async Task WriteAsync(int port)
    {
        // Names stay as they are written: the machine's resolver is nothing to a test.
        await File.WriteAllTextAsync(this["krb5.conf"], $$"""
            [libdefaults]
              default_realm = {{Name}}
              dns_lookup_kdc = false
              dns_lookup_realm = false
              dns_canonicalize_hostname = false
              rdns = false
              udp_preference_limit = 1
              default_rcache_name = none:
            [realms]
              {{Name}} = {
                kdc = 127.0.0.1:{{port}}
              }
            [logging]
              kdc = FILE:{{this["kdc.log"]}}

            """);
        await File.WriteAllTextAsync(this["kdc.conf"], $$"""
            [kdcdefaults]
              kdc_listen = 127.0.0.1:{{port}}
              kdc_tcp_listen = 127.0.0.1:{{port}}
            [realms]
              {{Name}} = {
                database_name = {{this["principal"]}}
                key_stash_file = {{this["stash"]}}
                acl_file = {{this["kadm5.acl"]}}
              }

            """);
    }

    private async Task<bool> TryStartAsync(int port)
    {
        process = Process.Start(WithEnvironment(new ProcessStartInfo(Command.Find("krb5kdc"), ["-n", "-r", Name])))!;
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        _ = process.StandardError.BaseStream.CopyToAsync(Stream.Null);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        for (var i = 0; i < 1000 && !process.HasExited; i++)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port);
                return true;
            }
            catch (SocketException)
            {
                // Not there yet.
            }

            await timer.WaitForNextTickAsync();
        }

        await DisposeAsync();
        return false;
    }

    private async Task RunAsync(string program, params string[] arguments)
    {
        using var started = Process.Start(WithEnvironment(new ProcessStartInfo(Command.Find(program), arguments)))!;
        var output = started.StandardOutput.ReadToEndAsync();
        var error = await started.StandardError.ReadToEndAsync();
        await started.WaitForExitAsync();
        // kadmin.local says what went wrong and ends with 0 all the same.
        if (started.ExitCode != 0 || error.Contains("while ", StringComparison.Ordinal))
            throw new InvalidOperationException($"{program} ended with {started.ExitCode}: {await output}{error}");
    }

    private ProcessStartInfo WithEnvironment(ProcessStartInfo start)
    {
        start.UseShellExecute = false;
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        foreach (var (name, value) in Environment)
            start.Environment[name] = value;
        return start;
    }

    private void OnExit(object? sender, EventArgs e) => process?.Kill(entireProcessTree: true);
}
