using System.Globalization;
using Imapsync.Bench.Contenders;
using Imapsync.Tests.Support;

namespace Imapsync.Bench.Cases;

/// <summary>Cases with one very big message, very many accounts, or a slow disk.</summary>
internal static class Extremes
{
    private const int MessagesPerAccount = 20;
    private const int MessagesPerListedAccount = 40;
    private const int AtOnce = 8;
    private const int BigBytes = 100_000_000;

    public static async Task HugeMessageAsync(BenchLab lab, CaseResult result)
    {
        await using (var idle = new BenchLab(lab.Options with { Runs = 1 }))
        {
            // Run the same job with a tiny message, to find out how much memory the program needs apart from the message.
            var small = new CaseResult("idle");
            await RunAsync(idle, small, 1000, idle.Imapsync());
            result.Notes.Add(string.Create(CultureInfo.InvariantCulture, $"imapsync with a message of 1 KB in its place: {small.Median("imapsync", m => m.PeakMiB):0} MiB."));
        }

        await RunAsync(lab, result, lab.Options.HugeMiB << 20, lab.Imapsync(), lab.Mbsync());

        static async Task RunAsync(BenchLab lab, CaseResult result, int bytes, params IContender[] contenders)
        {
            var mailbox = Mailbox.OfOneMessage(lab["source"], bytes);
            var source = await lab.ServeAsync(mailbox);
            var copy = new FirstCopy(mailbox, source, name => new MaildirPlace(lab["out-" + name]), _ => Floor.FetchAsync(source, mailbox));
            await copy.RunAsync(lab, result, contenders);
        }
    }

    public static async Task BigMessageAsync(BenchLab lab, CaseResult result)
    {
        var mailbox = Mailbox.OfOneMessage(lab["source"], BigBytes);
        var source = await lab.ServeAsync(mailbox);
        var server = await lab.StartAsync("target-server");
        var copy = new FirstCopy(
            mailbox, source, name => new ImapPlace(server, name, server.Port), place => Floor.AppendAsync((ImapPlace)place, mailbox, isMulti: true));
        await copy.RunAsync(lab, result, lab.Imapsync(), lab.Mbsync(), lab.MailKit(), lab.MailKit(isBatched: false));
    }

    public static async Task ManyAccountsAsync(BenchLab lab, CaseResult result)
    {
        var server = await lab.StartAsync("source-server");
        var users = Enumerable.Range(1, lab.Options.Accounts).Select(n => $"user{n:d4}").ToList();
        foreach (var (n, user) in users.Index())
            MailGenerator.Fill(server.MaildirOf(user), new MailboxPlan { Messages = MessagesPerAccount, Seed = n });
        await server.TakeOwnershipAsync(Path.Combine(server.Directory, "mail"));
        for (var round = 1; round <= lab.Options.Runs; round++)
        {
            foreach (var contender in (IContender[])[lab.Imapsync(AtOnce), lab.Mbsync(parallel: AtOnce)])
            {
                var root = lab[$"out-{contender.Name}{round}"];
                var transfers = users.ConvertAll(u => new Transfer(u, new ImapPlace(server, u, server.Port), new MaildirPlace(Path.Combine(root, u)), lab[$"state-{contender.Name}{round}/{u}"]));
                Directory.CreateDirectory(root);
                result.Add(contender.Name, await contender.RunAsync(transfers));
                BenchCase.Require(contender, new MaildirPlace(root), users.Count * MessagesPerAccount);
                Directory.Delete(root, recursive: true);
            }
        }

        result.Notes.Add($"{users.Count} accounts of {MessagesPerAccount} messages, {AtOnce} at once: one imapsync, {AtOnce} processes of mbsync (its CPU seconds are of all, its peak is of the largest one).");
    }

    public static async Task ListOfAccountsAsync(BenchLab lab, CaseResult result)
    {
        var (source, target) = (await lab.StartAsync("source-server"), await lab.StartAsync("target-server"));
        var users = Enumerable.Range(1, lab.Options.Accounts).Select(n => $"user{n:d4}").ToList();
        foreach (var (n, user) in users.Index())
            MailGenerator.Fill(source.MaildirOf(user), new MailboxPlan { Messages = MessagesPerListedAccount, Seed = n });
        await source.TakeOwnershipAsync(Path.Combine(source.Directory, "mail"));
        for (var round = 1; round <= lab.Options.Runs; round++)
        {
            foreach (var contender in (IContender[])[new ImapsyncListContender(lab.Options.Program, lab["."], AtOnce), lab.Mbsync(parallel: AtOnce), lab.Mbsync(parallel: AtOnce, eachAlone: true)])
            {
                var suffix = $"-{contender.Name}{round}";
                var transfers = users.ConvertAll(u => new Transfer(u, new ImapPlace(source, u, source.Port), new ImapPlace(target, u + suffix, target.Port), lab[$"state{suffix}/{u}"]));
                var (before, beforeAtTarget) = (source.Log.Length, target.Log.Length);
                result.Add(contender.Name, await contender.RunAsync(transfers));
                foreach (var transfer in transfers)
                {
                    BenchCase.Require(contender, transfer.Target, MessagesPerListedAccount);
                    transfer.Target.Delete();
                }

                var (most, mostAtTarget) = (MostAtOnce(source.Log[before..]), MostAtOnce(target.Log[beforeAtTarget..]));
                // Only imapsync can limit the connections to one host, so mbsync is not checked.
                if (contender is ImapsyncListContender && Math.Max(most, mostAtTarget) > AtOnce)
                    throw new InvalidOperationException($"{contender.Name} had {most} connections to the source at once and {mostAtTarget} to the target, where {AtOnce} may be");
                result.Notes.Add($"{contender.Name}, run {round}: at most {most} connections at once to the source and {mostAtTarget} to the target, by the servers' logs.");
            }
        }

        result.Notes.Add($"{users.Count} accounts of {MessagesPerListedAccount} messages: one imapsync with for_each, {AtOnce} jobs at once and {AtOnce} connections to a host at most; {AtOnce} processes of mbsync at once, for an eighth of the accounts each, or for one account each (CPU seconds are of all, the peak is of the largest one).");
    }

    public static async Task OnDiskAsync(BenchLab lab, CaseResult result)
    {
        if (lab.Options.Disk is not { } disk)
        {
            result.Notes.Add("not measured: --disk DIR says where a real disk is.");
            return;
        }

        var root = Path.Combine(Path.GetFullPath(disk), "imapsync-bench-" + Path.GetRandomFileName()[..8]);
        Directory.CreateDirectory(root);
        try
        {
            var mailbox = FirstCopies.Ordinary(lab);
            var source = await lab.ServeAsync(mailbox);
            var copy = new FirstCopy(mailbox, source, name => new MaildirPlace(Path.Combine(root, name)), _ => Floor.FetchAsync(source, mailbox));
            await copy.RunAsync(lab, result, lab.Imapsync(), lab.Mbsync(isDurable: true));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>Returns the maximum number of concurrent sessions, counted from the log-ins and log-outs in a Dovecot's log.</summary>
    private static int MostAtOnce(string log)
    {
        var (now, most) = (0, 0);
        foreach (var line in log.Split('\n'))
        {
            if (line.Contains("imap-login: Info: Login:", StringComparison.Ordinal))
                most = Math.Max(most, ++now);
            else if (line.Contains(": Info: Disconnected", StringComparison.Ordinal) || line.Contains(": Info: Connection closed", StringComparison.Ordinal))
                now--;
        }

        return most > 0 ? most : throw new InvalidOperationException("the server's log tells of no log-in");
    }
}
