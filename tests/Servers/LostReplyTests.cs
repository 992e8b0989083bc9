using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Stores;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>
/// The connection ends after the target has stored messages and before its reply arrives. The next run must recognise the stored messages
/// and copy the rest. The many runs take place in the test's process.
/// </summary>
public sealed class LostReplyTests
{
    private const int Appends = 30;

    [Theory]
    [InlineData("MULTIAPPEND UIDPLUS LITERAL+", 31, 2)]
    [InlineData("MULTIAPPEND LITERAL+", 31, 2)]
    [InlineData("UIDPLUS LITERAL+", 3, 12)]
    [InlineData("LITERAL+", 3, 12)]
    [InlineData("", 3, 12)]
    public async Task Lost_at_each_of_the_first_30_appends_it_leaves_one_copy_of_each(string capabilities, int folders, int messages)
    {
        await using var lab = await StartAsync(capabilities, folders, messages);
        var expected = await lab.Job.SourceAsync();
        for (var n = 1; n <= Appends; n++)
        {
            lab.User = $"user{n}";
            using var abort = new CancellationTokenSource();
            var replies = 0;
            var cutAt = n;
            lab.TargetLine.Rules = new FaultRules
            {
                CutBeforeAppendReply = () =>
                {
                    if (Interlocked.Increment(ref replies) != cutAt)
                        return false;
                    // In every second run the program is ended at the same moment as the connection, before it can reconnect.
                    if (cutAt % 2 == 0)
                        abort.Cancel();
                    return true;
                },
            };
            await RunAsync(lab, abort.Token);
            Assert.True(replies >= n, $"only {replies} replies to APPEND");

            lab.TargetLine.Rules = new FaultRules();
            await using (var probe = await lab.ConnectAsync())
                await probe.AppendAsync("INBOX", MailGenerator.Message(99_000 + n), "\\Flagged", MailGenerator.Date(n));
            var next = await RunAsync(lab, CancellationToken.None);

            Assert.True(next.Outcome == JobOutcome.Ok, $"reply {n} lost: {string.Join('\n', next.Problems)}");
            var actual = await lab.TargetAsync();
            var delivered = actual.Folders["INBOX"].Messages.Where(m => m.InternalDate == MailGenerator.Date(n) && m.Flags == "\\Flagged").ToList();
            Assert.Single(delivered);
            BackupLab.Same(expected, actual.Select((_, f) => f with { Messages = [.. f.Messages.Where(m => !delivered.Contains(m))] }), $"reply {n} lost");
        }
    }

    [Theory]
    [InlineData("MULTIAPPEND UIDPLUS LITERAL+", 31, 2)]
    [InlineData("LITERAL+", 3, 12)]
    public async Task Lost_every_time_it_still_leaves_one_copy_of_each(string capabilities, int folders, int messages)
    {
        await using var lab = await StartAsync(capabilities, folders, messages);
        lab.TargetLine.Rules = new FaultRules { CutBeforeAppendReply = () => true };
        JobReport report;
        var runs = 0;
        do
            report = await RunAsync(lab, CancellationToken.None);
        while (report.Outcome != JobOutcome.Ok && ++runs < folders * messages);

        Assert.True(report.Outcome == JobOutcome.Ok, string.Join('\n', report.Problems));
        await lab.TargetEqualsSourceAsync($"after {runs} runs");
    }

    /// <summary>Consecutive messages are sometimes identical; both copies of a pair must arrive.</summary>
    private static Task<MigrationLab> StartAsync(string capabilities, int folders, int messages) => MigrationLab.StartAsync(
        mailbox =>
        {
            for (var i = 0; i < folders * messages; i++)
            {
                var number = i % 10 == 1 ? i - 1 : i;
                mailbox.Add(i < messages ? "INBOX" : $"Folder {i / messages}", MailGenerator.Message(number, 300), MailGenerator.Date(number), "Sb");
            }
        },
        new DovecotOptions { Capability = "IMAP4rev1 SASL-IR NAMESPACE LIST-EXTENDED LIST-STATUS SPECIAL-USE " + capabilities });

    private static Task<JobReport> RunAsync(MigrationLab lab, CancellationToken abort) =>
        new JobRunner(new HastyTime(), StoreRegistry.Opener).RunAsync(
            new JobDefinition(
                lab.User,
                Account(lab.Job.Line.Port, "alice", lab.Job.Server.Password),
                Account(lab.TargetLine.Port, lab.User, lab.Password))
            {
                StateDirectory = lab.Job.Dir["state-" + lab.User],
            },
            new RunOptions(),
            _ => { },
            CancellationToken.None,
            abort);

    private static ImapEndpoint Account(int port, string user, string password) =>
        new("127.0.0.1", port, TlsMode.None, user) { Password = new KnownSecret(password) };
}
