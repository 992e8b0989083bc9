namespace Imapsync.Bench.Cases;

/// <summary>All cases, in the order in which they run.</summary>
internal static class AllCases
{
    public static readonly IReadOnlyList<BenchCase> List =
    [
        new("maildir", "first copy, IMAP to Maildir", FirstCopies.ToMaildirAsync),
        new("mbox", "first copy, IMAP to mbox", FirstCopies.ToMboxAsync),
        new("imap", "first copy, IMAP to IMAP", (lab, result) => FirstCopies.ToImapAsync(lab, result, isMulti: true)),
        new("imap-single", "first copy, IMAP to IMAP, no MULTIAPPEND at the target", (lab, result) => FirstCopies.ToImapAsync(lab, result, isMulti: false)),
        new("tls", "first copy, IMAP over TLS to Maildir", FirstCopies.OverTlsAsync),
        new("one-folder", "first copy of one folder with ten times the messages, IMAP to Maildir", FirstCopies.OfOneFolderAsync),
        new("noop-maildir", "nothing new, IMAP to Maildir", LaterRuns.NothingNewInFilesAsync),
        new("noop-imap", "nothing new, IMAP to IMAP", LaterRuns.NothingNewAsync),
        new("noop-folders", "nothing new, IMAP to IMAP, many folders", LaterRuns.NothingNewInManyFoldersAsync),
        new("new", "1 % new messages, IMAP to Maildir", LaterRuns.NewMessagesAsync),
        new("flags", "flags of 1 % changed, IMAP to Maildir", LaterRuns.ChangedFlagsAsync),
        new("find", "one message among all, with an index and without", Finding.OneOfManyAsync),
        new("distance", "2,000 messages of 8 KB, IMAP to IMAP, both servers far away", FarAway.CopyAsync),
        new("rationed", "first copy of one folder, IMAP to Maildir, 20 Mbit/s to each connection", FarAway.OfRationedFolderAsync),
        new("compress", "first copy to Maildir over a line of 20 Mbit/s, with and without COMPRESS", FarAway.OverThinLineAsync),
        new("huge", "one message of 1 GiB, IMAP to Maildir", Extremes.HugeMessageAsync),
        new("accounts", "first copy of many small accounts by one process, IMAP to Maildir", Extremes.ManyAccountsAsync),
        new("bulk", "first copy of many accounts of a list by one process, IMAP to IMAP, eight connections to a host", Extremes.ListOfAccountsAsync),
        new("big", "one message of 100 MB, IMAP to IMAP", Extremes.BigMessageAsync),
        new("awkward", "messages that programs alter or lose, one by one, IMAP to IMAP", Awkward.CopyAsync),
        new("disk", "first copy to Maildir on a real disk, synced by both (needs --disk)", Extremes.OnDiskAsync),
    ];
}
