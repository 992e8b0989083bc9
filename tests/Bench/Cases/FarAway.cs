using System.Globalization;
using Imapsync.Tests.Support;

namespace Imapsync.Bench.Cases;

/// <summary>Cases with high latency or low bandwidth.</summary>
internal static class FarAway
{
    private const int ThinLineBitsPerSecond = 20_000_000;

    public static async Task CopyAsync(BenchLab lab, CaseResult result)
    {
        var mailbox = Mailbox.Ordinary(lab["source"], new MailboxPlan { Messages = lab.Options.Messages / 10, MedianBytes = 7700, SizeSpread = 0 });
        var oneWay = new FaultRules { Delay = lab.Options.RoundTrip / 2 };
        var source = await lab.ServeAsync(mailbox);
        var server = await lab.StartAsync("target-server");
        var (toSource, toTarget) = (lab.LineTo(source.Port, oneWay), lab.LineTo(server.Port, oneWay));
        var copy = new FirstCopy(
            mailbox,
            source with { Port = toSource.Port },
            name => new ImapPlace(server, name, toTarget.Port),
            place => Floor.AppendAsync((ImapPlace)place, mailbox, isMulti: true));
        await copy.RunAsync(lab, result, lab.Imapsync(), lab.Mbsync(), lab.MailKit(), lab.MailKit(isBatched: false));
        foreach (var program in result.Runs.Keys)
        {
            var rate = mailbox.Messages / result.Median(program, m => m.WallSeconds);
            result.Notes.Add(string.Create(CultureInfo.InvariantCulture, $"{program}: {rate:0} messages a second at {lab.Options.RoundTrip.TotalMilliseconds:0} ms there and back."));
        }
    }

    public static async Task OfRationedFolderAsync(BenchLab lab, CaseResult result)
    {
        var mailbox = Mailbox.Ordinary(lab["source"], new MailboxPlan { Messages = lab.Options.Messages / 10, MedianBytes = 6000, OnlyFolder = "Archive" });
        var source = await lab.ServeAsync(mailbox);
        var line = lab.LineTo(source.Port, new FaultRules { BytesPerSecond = ThinLineBitsPerSecond / 8 });
        var copy = new FirstCopy(mailbox, source with { Port = line.Port }, name => new MaildirPlace(lab["out-" + name]), Floor: null);
        await copy.RunAsync(
            lab, result, lab.Imapsync(), lab.Imapsync() with { Name = "imapsync-1", SourceSettings = ["connections: 1"] }, lab.Mbsync());
        result.Notes.Add("the source gives each connection 20 Mbit/s; imapsync-1 has `connections: 1`.");
    }

    public static async Task OverThinLineAsync(BenchLab lab, CaseResult result)
    {
        var mailbox = Mailbox.Ordinary(lab["source"], new MailboxPlan { Messages = lab.Options.Messages / 10, MedianBytes = 6000 });
        var source = await lab.ServeAsync(mailbox, plugins: "imap_zlib");
        // The proxy limits the throughput of each connection separately, so each program uses only one connection.
        var line = lab.LineTo(source.Port, new FaultRules { BytesPerSecond = ThinLineBitsPerSecond / 8 });
        var copy = new FirstCopy(mailbox, source with { Port = line.Port }, name => new MaildirPlace(lab["out-" + name]), Floor: null);
        await copy.RunAsync(
            lab,
            result,
            lab.Imapsync() with { SourceSettings = ["connections: 1"] },
            lab.Imapsync() with { Name = "imapsync-compress", SourceSettings = ["connections: 1", "compress: true"] },
            lab.Mbsync());
        result.Notes.Add("each program has one connection to the source; mbsync compresses wherever it is offered.");
    }
}
