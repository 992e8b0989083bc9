using System.Text;
using Imapsync.Engine.Configuration;
using Imapsync.Tests.Support;

namespace Imapsync.Fuzz.Tests.Targets;

/// <summary>Targets for job files with mistakes: reading must fail with the documented exception and no other.</summary>
internal static class JobFileTargets
{
    public static FuzzTarget[] All { get; } =
    [
        new("job-file", Read, FuzzTarget.Texts(JobFileSamples.Rich, "jobs:\n- {name: b, source: {url: 'mbox:/a'}, target: {url: 'imap://h/', tls: none}, flags: exact, deletions: mirror}\n"))
        {
            Words = FuzzTarget.Texts([.. JobFileSamples.Pieces]), Weight = 0.05, BaseBytes = 16 << 20, BytesPerOctet = 20_000,
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
