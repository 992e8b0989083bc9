using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Imapsync.Tests.Support;

/// <summary>
/// A private Kerberos realm: a KDC on a loopback port, a service <c>imap/localhost</c>, and added principals. It does not use the machine's
/// Kerberos configuration.
/// </summary>
public sealed class KerberosRealm : IAsyncDisposable
{
    public const string Name = "IMAPSYNC.TEST";

    private readonly string directory;
    private Process? process;

    private KerberosRealm(string directory) => this.directory = directory;

    /// <summary>The environment variables that make a process use this realm.</summary>
    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["KRB5_CONFIG"] = this["krb5.conf"],
        ["KRB5_KDC_PROFILE"] = this["kdc.conf"],
    };

    public string ServiceKeytab => this["imap.keytab"];

    private string this[string name] => Path.Combine(directory, name);

    /// <param name="directory">A directory that other users may read, because the server's user needs the keytab in it.</param>
    public static async Task<KerberosRealm> StartAsync(string directory)
    {
        Directory.CreateDirectory(directory);
        var realm = new KerberosRealm(directory);
        for (var attempt = 1; ; attempt++)
        {
            var port = LoopbackPorts.Free();
            await realm.WriteAsync(port);
            if (attempt == 1)
            {
                await realm.RunAsync("kdb5_util", "create", "-s", "-r", Name, "-P", "of the database, in a test");
                await realm.AddAsync("imap/localhost", realm.ServiceKeytab);
            }

            if (await realm.TryStartAsync(port))
                return realm;
            // Another process may have taken the port since it was found to be free. That is rare, so try up to three times.
            if (attempt == 3)
                throw new InvalidOperationException("the KDC does not start:\n" + await File.ReadAllTextAsync(realm["kdc.log"]));
        }
    }

    /// <summary>Adds a user with a password.</summary>
    public Task AddUserAsync(string user, string password) => RunAsync("kadmin.local", "-r", Name, "-q", $"addprinc -pw {password} {user}");

    /// <summary>Adds a user or a service whose key is stored in a keytab file.</summary>
    /// <returns>The path of the file.</returns>
    public async Task<string> AddAsync(string principal, string keytab)
    {
        await RunAsync("kadmin.local", "-r", Name, "-q", $"addprinc -randkey {principal}");
        await RunAsync("kadmin.local", "-r", Name, "-q", $"ktadd -k {keytab} {principal}");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(keytab, (UnixFileMode)0b110_100_100);
        return keytab;
    }

    /// <summary>Gets a ticket with <c>kinit</c> and stores it in a credential cache.</summary>
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
        // Host names are not canonicalised, so that the tests do not depend on the machine's resolver.
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
                // The KDC does not accept connections yet.
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
        // kadmin.local exits with status 0 even after an error, so its error output is checked too.
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
