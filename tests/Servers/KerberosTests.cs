using System.Net;
using System.Net.Sockets;
using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Kerberos log-in, with a realm and a Dovecot of the test's own.</summary>
public sealed class KerberosTests : IAsyncLifetime
{
    private BackupLab lab = null!;
    private KerberosRealm realm = null!;

    public async ValueTask InitializeAsync()
    {
        lab = await BackupLab.StartAsync(mailbox => mailbox.Add("INBOX", MailGenerator.Message(1), MailGenerator.Date(1), "S"));
        realm = await KerberosRealm.StartAsync(lab.Dir["realm"]);
        foreach (var user in (string[])["alice", "bob"])
            await realm.AddAsync(user, lab.Dir[user + ".keytab"]);
        await lab.Server.RestartAsync(options: lab.Server.Options with
        {
            Mechanisms = "gssapi",
            Extra = $"auth_krb5_keytab = {realm.ServiceKeytab}\nauth_gssapi_hostname = localhost\nimport_environment = KRB5_CONFIG={realm.Environment["KRB5_CONFIG"]}\n",
        });
        lab.Environment.Clear();
        foreach (var (name, value) in realm.Environment)
            lab.Environment[name] = value;
        lab.Environment["KRB5CCNAME"] = Cache;
    }

    public async ValueTask DisposeAsync()
    {
        await realm.DisposeAsync();
        await lab.DisposeAsync();
    }

    private string Cache => "FILE:" + lab.Dir["cache"];

    [Theory]
    [InlineData("imap")]
    [InlineData("imaps")]
    public async Task A_ticket_gets_in_and_the_lack_of_one_is_said(string scheme)
    {
        Use("alice@", scheme: scheme);
        await RefusedAsync("there is no Kerberos ticket");
        await GetTicketAsync("alice");
        await SucceedAsync("alice");
    }

    [Fact]
    public async Task Without_a_name_the_ticket_says_whose_mailbox_it_is()
    {
        await GetTicketAsync("bob");
        Use("");
        await SucceedAsync("bob@" + KerberosRealm.Name.ToLowerInvariant());
    }

    /// <summary>A job for bob must never copy alice's mail as bob's, even if the ticket in the cache is alice's.</summary>
    [Theory]
    [InlineData("bob@", "")]
    [InlineData("alice@", "authorize_as: bob")]
    [InlineData("", "authorize_as: bob")]
    public async Task Somebody_else_s_ticket_opens_no_mailbox(string user, string more)
    {
        await GetTicketAsync("alice");
        Use(user, more);
        await RefusedAsync("klist shows whose");
        Assert.DoesNotContain("Login: user=", lab.Server.Log, StringComparison.Ordinal);
        Assert.False(Directory.Exists(lab.TargetDirectory) && Directory.EnumerateFiles(lab.TargetDirectory, "*:2,*", SearchOption.AllDirectories).Any());
    }

    /// <summary>A nightly run has nobody who could type a password, so the job uses a client keytab.</summary>
    [Fact]
    public async Task The_key_of_a_client_keytab_gets_in()
    {
        lab.Environment["KRB5_CLIENT_KTNAME"] = lab.Dir["alice.keytab"];
        Use("alice@");
        await SucceedAsync("alice");
    }

    [Fact]
    public async Task A_password_gets_a_ticket_of_its_own()
    {
        await realm.AddUserAsync("carol", "horse-battery");
        lab.Environment[BackupLab.PasswordVariable] = "wrong-password";
        Use("carol@", $"password_env: {BackupLab.PasswordVariable}");
        await RefusedAsync("this password");
        lab.Environment[BackupLab.PasswordVariable] = "horse-battery";
        await SucceedAsync("carol");
        Assert.False(File.Exists(lab.Dir["cache"]), "a password's ticket was left in the cache");
    }

    [Fact]
    public async Task A_server_of_another_name_has_no_ticket()
    {
        await GetTicketAsync("alice");
        lab.Endpoint = $"url: imap://alice@127.0.0.1:{lab.Server.Port}\n      tls: none\n      auth: gssapi";
        await RefusedAsync("there is no valid Kerberos ticket for imap/127.0.0.1");
    }

    /// <summary>A server answers OK without proving that it has the service's key. The client must not take this for a log-in.</summary>
    [Fact]
    public async Task An_OK_before_the_service_s_proof_is_no_log_in()
    {
        await GetTicketAsync("alice");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeAsync();
        lab.Endpoint = $"url: imap://alice@localhost:{((IPEndPoint)listener.LocalEndpoint).Port}\n      tls: none\n      auth: gssapi";
        await RefusedAsync("without having proved");
        listener.Stop();
        await serving;

        async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await listener.AcceptTcpClientAsync();
                    using var reader = new StreamReader(client.GetStream());
                    await client.GetStream().WriteAsync("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=GSSAPI] ready\r\n"u8.ToArray());
                    while (await reader.ReadLineAsync() is { } line)
                        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"{line.Split(' ')[0]} OK in\r\n"));
                }
            }
            catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
            {
                // The test has ended.
            }
        }
    }

    [Fact]
    public async Task A_system_without_a_Kerberos_library_is_told_apart()
    {
        await GetTicketAsync("alice");
        lab.Dir.Create("libraries");
        lab.Dir.Write("libraries/libgssapi_krb5.so.2", "no library");
        lab.Environment["LD_LIBRARY_PATH"] = lab.Dir["libraries"];
        Use("alice@");
        await RefusedAsync("this system has no Kerberos library");
    }

    private Task GetTicketAsync(string user) => realm.GetTicketAsync(user, lab.Dir[user + ".keytab"], Cache);

    private void Use(string user, string more = "", string scheme = "imap") => lab.Endpoint =
        $"url: {scheme}://{user}localhost:{(scheme == "imaps" ? lab.Server.TlsPort : lab.Server.Port)}\n      "
        + (scheme == "imaps" ? $"tls_ca_file: {lab.Server.Authority.CaFile}" : "tls: none")
        + "\n      auth: gssapi" + (more.Length == 0 ? "" : "\n      " + more);

    private async Task SucceedAsync(string user)
    {
        var outcome = await lab.RunAsync();
        Assert.True(outcome.Status == 0, $"{outcome}\n{lab.Server.Log}");
        Assert.True(lab.Server.Log.Contains($"Login: user=<{user}>, method=GSSAPI,", StringComparison.Ordinal), lab.Server.Log);
    }

    private async Task RefusedAsync(string because)
    {
        var outcome = await lab.RunAsync();
        Assert.True(outcome.Status == 12, $"{outcome}\n{lab.Server.Log}");
        Assert.True(outcome.Everything.Contains(because, StringComparison.Ordinal), outcome.ToString());
    }
}
