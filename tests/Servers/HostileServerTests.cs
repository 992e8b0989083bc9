using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Stores;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Servers that send without end: the job ends by itself, reports why, and uses bounded memory.</summary>
public sealed class HostileServerTests
{
    // The most octets that the client may accept in a run. The bound is generous, because a job retries and each attempt may accept as much
    // as the client's limits allow.
    private const long MostBytes = 1L << 30;

    [Theory]
    [InlineData("LIST \"\" \"*\"", "* LIST () \"/\" ", "all work and no play ", "a line longer than")]
    [InlineData("LIST \"\" \"*\"", "", "* 1 EXISTS\r\n", "answered nothing")]
    [InlineData("LIST \"\" \"*\"", "* LIST () \"/\" {9223372036854775808}\r\n", "x", "a literal longer than")]
    [InlineData("LIST \"\" \"*\"", "* LIST (", "(", "longer than")]
    [InlineData("FLAGS INTERNALDATE", "", "* 1 FETCH (UID 1 FLAGS () INTERNALDATE \"01-Feb-2025 10:00:00 +0000\" RFC822.SIZE 9)\r\n", "fewer than half as many")]
    [InlineData("BODY.PEEK[]", "", "* 9 FETCH (UID 99 BODY[] {3}\r\nabc)\r\n", "bodies where")]
    [InlineData("BODY.PEEK[]", "* 1 FETCH (UID 1 BODY[] {9223372036854775807}\r\n", "x", "impossible size")]
    public async Task A_server_without_an_end_ends_its_own_job(string command, string opening, string piece, string reason)
    {
        await using var server = new MadeUpServer(["INBOX"], messages: 3) { Endless = (command, opening, piece) };
        using var dir = new TempDir();

        var report = await RunAsync(server, dir);

        Assert.NotEqual(JobOutcome.Ok, report.Outcome);
        Assert.Contains(report.Problems, p => p.Text.Contains(reason, StringComparison.Ordinal));
        Assert.InRange(server.EndlessBytes, 0, MostBytes);
    }

    [Fact]
    public async Task A_body_far_longer_than_listed_ends_its_folder()
    {
        await using var server = new MadeUpServer(["INBOX"], messages: 1) { Endless = ("BODY.PEEK[]", "* 1 FETCH (UID 1 BODY[] {60000000000}\r\n", "x") };
        using var dir = new TempDir();

        var report = await RunAsync(server, dir);

        Assert.Contains(report.Problems, p => p.Text.Contains("and announces 60000000000", StringComparison.Ordinal));
        Assert.InRange(server.EndlessBytes, 0, MostBytes);
    }

    private static async Task<JobReport> RunAsync(MadeUpServer server, TempDir dir) =>
        await new JobRunner(new HastyTime(), StoreRegistry.Opener).RunAsync(
            new JobDefinition(
                "hostile",
                new ImapEndpoint("127.0.0.1", server.Port, TlsMode.None, "user") { Password = new KnownSecret("x") },
                new MaildirEndpoint(dir.Create("target")))
            {
                StateDirectory = dir["state"],
            },
            new RunOptions(),
            _ => { },
            CancellationToken.None,
            TestContext.Current.CancellationToken);
}
