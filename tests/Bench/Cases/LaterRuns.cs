using Imapsync.Bench.Contenders;
using Imapsync.Tests.Support;

namespace Imapsync.Bench.Cases;

/// <summary>Cases that measure the runs after the first, as they happen every night.</summary>
internal static class LaterRuns
{
    public static async Task NothingNewInFilesAsync(BenchLab lab, CaseResult result)
    {
        var mailbox = FirstCopies.Ordinary(lab);
        var later = new LaterRun(mailbox, await lab.ServeAsync(mailbox), name => new MaildirPlace(lab["out-" + name]));
        await later.RunAsync(lab, result, lab.Imapsync(), lab.Mbsync());
    }

    public static async Task NothingNewAsync(BenchLab lab, CaseResult result)
    {
        var mailbox = FirstCopies.Ordinary(lab);
        await NothingNewAsync(lab, result, mailbox);
    }

    public static async Task NothingNewInManyFoldersAsync(BenchLab lab, CaseResult result)
    {
        var mailbox = Mailbox.OfManyFolders(lab["source"], lab.Options.Folders);
        await NothingNewAsync(lab, result, mailbox);
    }

    public static async Task NewMessagesAsync(BenchLab lab, CaseResult result)
    {
        var mailbox = FirstCopies.Ordinary(lab);
        var share = Math.Max(1, mailbox.Messages / 100);
        var source = await lab.ServeAsync(mailbox);
        var later = new LaterRun(mailbox, source, name => new MaildirPlace(lab["out-" + name]), Deliver);
        await later.RunAsync(lab, result, lab.Imapsync(), lab.Mbsync());

        async Task Deliver(int round)
        {
            for (var i = 0; i < share; i++)
                mailbox.Writer.Add(mailbox.Folders[i % mailbox.Folders.Count], MailGenerator.Message(mailbox.Messages, 6000), MailGenerator.Date(mailbox.Messages), "S");
            await source.Server.TakeOwnershipAsync(mailbox.Directory);
        }
    }

    public static async Task ChangedFlagsAsync(BenchLab lab, CaseResult result)
    {
        var mailbox = FirstCopies.Ordinary(lab);
        var source = await lab.ServeAsync(mailbox);
        var later = new LaterRun(mailbox, source, name => new MaildirPlace(lab["out-" + name]), Flip, Require);
        await later.RunAsync(lab, result, lab.Imapsync(), lab.Mbsync());

        async Task Flip(int round)
        {
            await using var client = await RawImap.ConnectAsync(source);
            foreach (var folder in mailbox.Folders)
            {
                var opened = await client.CommandAsync($"SELECT \"{folder}\"");
                var uids = string.Join(',', Enumerable.Range(0, (mailbox.Messages / 100) + 1).Select(i => (i * 100) + 1));
                if (!opened.Contains("* 0 EXISTS", StringComparison.Ordinal))
                    await client.CommandAsync($"UID STORE {uids} {(round % 2 == 1 ? '+' : '-')}FLAGS.SILENT (\\Flagged)");
            }
        }

        void Require(IContender contender, Place target)
        {
            var (wanted, found) = (new MaildirPlace(mailbox.Directory).CountFlagged('F'), ((MaildirPlace)target).CountFlagged('F'));
            if (wanted != found)
                throw new InvalidOperationException($"{contender.Name} left {found} of {wanted} messages flagged");
        }
    }

    private static async Task NothingNewAsync(BenchLab lab, CaseResult result, Mailbox mailbox)
    {
        var source = await lab.ServeAsync(mailbox);
        var server = await lab.StartAsync("target-server");
        var later = new LaterRun(mailbox, source, name => new ImapPlace(server, name, server.Port));
        var transfers = await later.RunAsync(lab, result, lab.Imapsync(), lab.Mbsync());
        foreach (var (contender, transfer) in transfers)
        {
            // Run twice more through proxies that count round trips. These times are not reported, because the proxies cost
            // time. Only the second run's round trips count: in the first, the port is new, so imapsync sees an unknown server
            // and examines its folders more thoroughly.
            var (toSource, toTarget) = (lab.LineTo(source.Port), lab.LineTo(server.Port));
            var proxied = transfer with { Source = source with { Port = toSource.Port }, Target = (ImapPlace)transfer.Target with { Port = toTarget.Port } };
            await contender.RunAsync([proxied]);
            var (atSource, atTarget) = (Turns(toSource), Turns(toTarget));
            await contender.RunAsync([proxied]);
            result.Notes.Add($"{contender.Name} waits for {Turns(toSource) - atSource} round trips at the source and {Turns(toTarget) - atTarget} at the target, log-in and log-out included.");
        }
    }

    private static int Turns(FaultProxy line) => line.Connections.Sum(c => c.Turns);
}
