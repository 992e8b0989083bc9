using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <summary>Whole jobs from a server that announces other lengths than it sends, or sends less than it lists.</summary>
public sealed class WrongLengthTests : IDisposable
{
    private const int Count = 12;

    private readonly AppendServer server = new();
    private readonly MailboxFixture box = new();

    public WrongLengthTests()
    {
        for (var i = 1; i <= Count; i++)
            server.Messages.Add(new AppendedMessage((uint)i, "", Body(i)));
        box.Job = box.Job with { Source = AppendRun.Endpoint };
        box.OpenSource = Openers.Both(OpenAsync).OpenAsync;
    }

    public void Dispose() => box.Dispose();

    /// <summary>
    /// The server announces wrong lengths for some messages. These are reported, and every other message arrives unchanged.
    /// </summary>
    [Fact]
    public async Task A_length_that_is_wrong_costs_that_message_alone()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 8; round++)
        {
            using var own = new WrongLengthTests();
            var bad = Enumerable.Range(0, random.Next(1, 5)).Select(_ => (uint)random.Next(1, Count + 1)).Distinct().ToDictionary(u => u, _ => -random.Next(1, 200));
            own.server.OnCommand = c => own.Fetch(c, (uid, body) => (body, body.Length + bad.GetValueOrDefault(uid)));
            var report = await own.box.RunAsync();
            own.AssertIsolated(report, [.. bad.Keys], $"seed {seed}, round {round}");
        }
    }

    /// <summary>
    /// The announced length also covers the items after the body, and what remains is a valid reply. Without a check, the message would end
    /// in octets of the protocol.
    /// </summary>
    [Fact]
    public async Task A_length_that_takes_in_what_follows_the_message_is_noticed()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        string[] others = ["FLAGS (\\Seen $x)", "MODSEQ (12345)", "RFC822.SIZE 1234", "INTERNALDATE \"01-Feb-2025 10:00:00 +0000\""];
        for (var round = 0; round < 12; round++)
        {
            using var own = new WrongLengthTests();
            var bad = Enumerable.Range(0, random.Next(1, 5)).Select(_ => (uint)random.Next(1, Count + 1)).Distinct().ToDictionary(u => u, _ => random.Next(1, 3));
            var isLast = random.Next(2) == 0;
            var knowsSizes = !isLast || random.Next(2) == 0;
            own.server.OnCommand = c =>
            {
                if (!knowsSizes && c.Contains("RFC822.SIZE", StringComparison.Ordinal))
                    return string.Concat(own.server.Messages.Where(m => Names(c, m.Uid)).Select(m => $"{m.Uid} FETCH (UID {m.Uid} FLAGS () INTERNALDATE \"01-Feb-2025 10:00:00 +0000\" RFC822.SIZE 0)\n")) + "OK";
                if (!c.Contains("BODY.PEEK[]", StringComparison.Ordinal))
                    return null;
                return string.Concat(own.server.Messages.Where(m => Names(c, m.Uid)).Select(m =>
                {
                    var items = (isLast ? [$"UID {m.Uid}", .. random.GetItems(others, random.Next(3)).Distinct()] : random.GetItems(others, 2).Distinct().ToList()).OrderBy(_ => random.Next()).ToList();
                    var text = " " + string.Join(' ', items);
                    // The announced length is too large: it also covers all items after the body, or only the items up to the UID.
                    var uidEnd = isLast ? text.IndexOf($"UID {m.Uid}", StringComparison.Ordinal) + $"UID {m.Uid}".Length : text.Length;
                    var surplus = bad.GetValueOrDefault(m.Uid) switch { 0 => 0, 1 => text.Length, _ => uidEnd };
                    return $"{m.Uid} FETCH ({(isLast ? "" : $"UID {m.Uid} ")}BODY[] {{{m.Body.Length + surplus}}}\v{m.Body.Replace("\r\n", "\v", StringComparison.Ordinal)}{text})\n";
                })) + "OK";
            };
            var report = await own.box.RunAsync();
            own.AssertIsolated(report, [.. bad.Keys], $"seed {seed}, round {round}");
        }
    }

    [Theory]
    [InlineData("IMAP4rev1", 3u)]
    [InlineData("IMAP4rev1", 1u, 2u, 12u)]
    public async Task A_message_that_is_cut_off_is_asked_for_once_more_and_reported(string capabilities, params uint[] cut)
    {
        server.Capabilities = capabilities;
        server.OnCommand = c => Fetch(c, (uid, body) => cut.Contains(uid) ? (body[..90], 90) : (body, body.Length));
        var report = await box.RunAsync();
        AssertIsolated(report, cut, "");
        Assert.All(report.Problems, p => Assert.Contains("gives 90", p.Text, StringComparison.Ordinal));
        Assert.All(cut, u => Assert.Equal(2, server.Commands.Count(c => c.Contains("BODY.PEEK[]", StringComparison.Ordinal) && Names(c, u))));

        // The proxy that truncated messages is gone, so the messages arrive now.
        server.OnCommand = _ => null;
        Assert.Equal((JobOutcome.Ok, (long)cut.Length), await OutcomeAsync());
    }

    [Fact]
    public async Task A_message_that_was_cut_off_by_accident_arrives_with_the_second_try()
    {
        var times = 0;
        server.OnCommand = c => Fetch(c, (uid, body) => uid == 5 && times++ == 0 ? (body[..90], 90) : (body, body.Length));
        Assert.Equal((JobOutcome.Ok, (long)Count), await OutcomeAsync());
        Assert.All(box.Target.Folder("INBOX").Messages, m => Assert.True(m.Octets.Length > 90));
    }

    [Theory]
    [InlineData("one octet a line end more")]
    [InlineData("one octet a line end less")]
    [InlineData("estimates")]
    [InlineData("zeros")]
    public async Task Sizes_that_are_counted_otherwise_cost_no_message(string way)
    {
        server.OnCommand = c => c.Contains("RFC822.SIZE", StringComparison.Ordinal)
            ? string.Concat(server.Messages.Where(m => Names(c, m.Uid)).Select(m =>
                $"{m.Uid} FETCH (UID {m.Uid} FLAGS () INTERNALDATE \"01-Feb-2025 10:00:00 +0000\" RFC822.SIZE {Listed(m, way)})\n")) + "OK"
            : null;
        Assert.Equal((JobOutcome.Ok, (long)Count), await OutcomeAsync());
    }

    private static int Listed(AppendedMessage m, string way)
    {
        var lines = m.Body.Count(c => c == '\n');
        return way switch
        {
            "one octet a line end more" => m.Body.Length + lines,
            "one octet a line end less" => m.Body.Length - lines,
            "estimates" => (m.Uid % 2 == 0 ? 2000 : 100) + (int)m.Uid,
            _ => 0,
        };
    }

    private async Task<(JobOutcome Outcome, long Copied)> OutcomeAsync()
    {
        var report = await box.RunAsync();
        return (report.Outcome, report.Totals.Copied);
    }

    private void AssertIsolated(JobReport report, uint[] bad, string what)
    {
        var good = Enumerable.Range(1, Count).Where(i => !bad.Contains((uint)i)).ToList();
        Assert.Equal((what, JobOutcome.Incomplete), (what, report.Outcome));
        what += string.Concat(report.Problems.Select(p => $"\n{p.Uid}: {p.Text}"));
        Assert.True(good.Count == report.Totals.Copied && bad.Length == report.Totals.Failed, what);
        Assert.Equal(bad.Order(), report.Problems.Select(p => p.Uid!.Value).Order());
        Assert.Equal(
            good.Select(Body).Order(StringComparer.Ordinal),
            box.Target.Folder("INBOX").Messages.Select(m => System.Text.Encoding.Latin1.GetString(m.Octets)).Order(StringComparer.Ordinal));
    }

    /// <summary>The reply to a FETCH of bodies; null for any other command.</summary>
    /// <param name="send">The octets sent and the length announced.</param>
    private string? Fetch(string command, Func<uint, string, (string Octets, int Announced)> send)
    {
        if (!command.Contains("BODY.PEEK[]", StringComparison.Ordinal))
            return null;
        return string.Concat(server.Messages.Where(m => Names(command, m.Uid)).Select(m =>
        {
            var (octets, announced) = send(m.Uid, m.Body);
            return $"{m.Uid} FETCH (UID {m.Uid} BODY[] {{{announced}}}\v{octets.Replace("\r\n", "\v", StringComparison.Ordinal)})\n";
        })) + "OK";
    }

    private static string Body(int i) => MailboxFixture.Mail($"m{i}", string.Join("\r\n", Enumerable.Range(0, 10 + i).Select(n => $"line {n} of many words, so that it is long enough {n}")));

    private static bool Names(string command, uint uid) =>
        command.Split(' ')[2] == "1:*" || (Imapsync.Imap.UidSet.TryParse(command.Split(' ')[2], out var set) && set.Contains(new Imapsync.Imap.Uid(uid)));

    private Task<ITargetStore> OpenAsync(Endpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
        // Use the system clock. The job's clock fires all timers at once, so the connection's watchdog would take a slow disk for a stall.
        ImapStore.OpenAsync(AppendRun.Endpoint, context with { Time = TimeProvider.System }, server.DialAsync, cancellationToken);
}
