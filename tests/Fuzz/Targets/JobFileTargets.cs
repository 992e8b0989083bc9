using System.Text;
using Imapsync.Engine.Jobs;

namespace Imapsync.Fuzz.Tests.Targets;

/// <summary>Job files as tired people write them: an error that names the place, and never another exception.</summary>
internal static class JobFileTargets
{
    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", ":", "- ", "\n", "\t", "\"", "'", "&a ", "*a", "!x ", "!!int ", "|\n", ">-\n", "? ", "%YAML 1.2\n", "---\n", "...\n", "#", "\0", "\u0085", "\uFEFF", "~", "<<: ", "@", "`",
        "\\x", "  ", "99999999999999999999", "imaps://", "%zz", "jobs:", "maildir:", "mbox:", "password", "10%", "-1", "1e9", "limits:", "retry:", "*", "**", "null",
    ];

    public static FuzzTarget[] All { get; } =
    [
        new("job-file", Read, FuzzTarget.Texts("""
            jobs:
              - name: alice
                source: { url: "imaps://alice@imap.example.com:993", password_env: ALICE_PASSWORD, connections: 3 }
                target:
                  url: maildir:/var/backups/mail/alice
                  layout: fs
                folders:
                  include: ["**", 'a b']
                  map: { "Sent Items": "Sent", ? x : y }
                messages: { since: 2020-01-01, max_size: 50MB, with_flags: [flagged] }
                deletion_limit: 10%
                state: |
                  /state
            """, "jobs:\n- {name: b, source: {url: 'mbox:/a'}, target: {url: 'imap://h/', tls: none}, flags: exact, deletions: mirror}\n"))
        {
            Words = FuzzTarget.Texts(Pieces), Weight = 0.05, BaseBytes = 16 << 20, BytesPerOctet = 20_000,
        },
        new("settings", ReadSettings, FuzzTarget.Texts("alice.messages.since=2020-01-01", "jobs.0.source.url=imaps://a%40b@h:993/", "deletion_limit=10%", "alice.folders.include=a/**,b"))
        {
            Words = FuzzTarget.Texts("=", ".", "[", "imaps://", "imap://", "maildir:", "mbox:", "@", "%40", ":", "65536", "KB", "-1", "**", ","), Weight = 0.2, BaseBytes = 16 << 20, BytesPerOctet = 20_000,
        },
    ];

    private static void Read(byte[] octets) => Parse(Encoding.UTF8.GetString(octets), []);

    private static void ReadSettings(byte[] octets) =>
        Parse("jobs:\n- {name: alice, source: {url: 'mbox:/a'}, target: {url: 'maildir:/b'}}\n", [Encoding.UTF8.GetString(octets)]);

    private static void Parse(string text, string[] settings)
    {
        try
        {
            JobFileReader.Parse("/jobs/fuzz.yaml", text, new JobFileOptions { StateRoot = "/state", Set = settings });
        }
        catch (ConfigurationException e)
        {
            Assert.NotEmpty(e.Message);
        }
    }
}
