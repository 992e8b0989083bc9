using System.Text;
using Imapsync.Tests.Support;
using Imapsync.Tests.Support.OAuth;

namespace Imapsync.Servers.Tests.SignIn;

/// <summary>A job whose source is a real Dovecot that validates each token at the test's own authorization server.</summary>
public sealed class SignInLab : IAsyncDisposable
{
    private SignInLab(BackupLab lab, AuthorizationServer authority) => (Lab, Authority) = (lab, authority);

    public BackupLab Lab { get; }

    public AuthorizationServer Authority { get; }

    public string KeptFile => Path.Combine(Lab.StateDirectory, "signin-source");

    /// <param name="oauth">The YAML lines of <c>oauth:</c> after the client; the device grant by default.</param>
    public static async Task<SignInLab> StartAsync(int messages = 20, string mechanisms = "xoauth2 oauthbearer", params string[] oauth)
    {
        var authority = AuthorizationServer.Start();
        // The messages are small enough to pass before a test cuts the connection. A bigger one would fail each time and count as
        // unreadable.
        var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = messages, MaxBytes = 20_000 });
        var settings = lab.Dir.Write("oauth2.conf", $"""
            introspection_url = {authority.Url}/introspect
            introspection_mode = post
            username_attribute = username
            active_attribute = active
            active_value = true

            """.ReplaceLineEndings("\n"));
        await lab.Server.RestartAsync(options: lab.Server.Options with
        {
            // PLAIN is for the test's own client, which logs in by password.
            Mechanisms = mechanisms + " plain",
            Accounts = $"passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {settings}\n}}\n"
                + $"passdb {{\n  driver = static\n  mechanisms = plain\n  args = password={lab.Server.Password}\n}}",
        });
        var made = new SignInLab(lab, authority);
        made.Use(oauth.Length > 0 ? oauth : [$"issuer: {authority.Url}", $"scopes: [{AuthorizationServer.Scope}]", "grant: device"]);
        return made;
    }

    /// <summary>Sets the YAML lines of <c>oauth:</c>.</summary>
    public void Use(params string[] oauth)
    {
        Lab.Environment.Clear();
        var text = new StringBuilder($"url: imap://alice@127.0.0.1:{Lab.Line.Port}\n      tls: none\n      oauth:\n        client_id: {AuthorizationServer.ClientId}");
        foreach (var line in oauth)
            text.Append("\n        ").Append(line);
        Lab.Endpoint = text.ToString();
    }

    public async Task<ImapsyncResult> CommandAsync(string command, params string[] options)
    {
        Lab.WriteJob();
        await using var process = ImapsyncProcess.Start(Lab.Dir.Create("home"), [command, Lab.JobFile, "alice", .. options], Lab.Environment);
        return await process.WaitAsync();
    }

    public async Task<ImapsyncResult> SignInAsync(params string[] options)
    {
        var result = await CommandAsync("login", options);
        Assert.True(result.Status == 0, result.ToString());
        NothingIsShown(result.ToString());
        return result;
    }

    /// <summary>Asserts that no token, code, verifier or secret is in these texts or in any file that the program wrote.</summary>
    public void NothingIsShown(params string[] texts)
    {
        foreach (var file in ((string[])[Lab.StateDirectory, Lab.TargetDirectory, Lab.Dir["home"]]).Where(Directory.Exists)
            .SelectMany(d => Directory.EnumerateFiles(d, "*", SearchOption.AllDirectories)).Append(Lab.ReportFile).Append(Lab.Dir["trace.log"]).Where(File.Exists))
        {
            IsAbsent(Encoding.Latin1.GetString(File.ReadAllBytes(file)), file);
        }

        foreach (var text in texts)
            IsAbsent(text, "what it printed:\n" + text);
    }

    public async ValueTask DisposeAsync()
    {
        await Lab.DisposeAsync();
        Authority.Dispose();
    }

    private void IsAbsent(string text, string where)
    {
        foreach (var secret in Authority.Secrets.Append(AuthorizationServer.ClientSecret))
        {
            // Search for the secret in plain text and in base64, which is as readable. The first and last base64 characters are left out,
            // because they depend on neighbouring octets.
            foreach (var form in (string[])[secret, .. Encoded(secret)])
                Assert.False(text.Contains(form, StringComparison.Ordinal), $"{secret} stands in {where}");
        }
    }

    /// <summary>The text's three possible base64 forms: it may begin at the first, second or third octet of a base64 group.</summary>
    private static IEnumerable<string> Encoded(string secret) =>
        Enumerable.Range(0, 3).Select(i => Convert.ToBase64String(Encoding.UTF8.GetBytes(new string('x', i) + secret))[4..^4]);
}
