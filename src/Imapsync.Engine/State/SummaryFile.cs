using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.State;

/// <summary>
/// The file with the summaries of all folder pairs, one pair per line. The summaries only save work: if a line is damaged, the next run
/// opens the pair's folders and compares them.
/// </summary>
internal static class SummaryFile
{
    private const ulong Version = 1;

    /// <summary>A limit in octets far above any job's summaries; a longer file was not written by this program.</summary>
    private const long MaxBytes = 256 * 1024 * 1024;

    private static ReadOnlySpan<byte> Magic => "imapsync-summary"u8;

    /// <exception cref="CheckpointVersionException">The file was written by a newer version.</exception>
    public static async Task<Dictionary<PairKey, PairSummary>> ReadAsync(IStateMedium medium, CancellationToken cancellationToken) =>
        Read(await medium.ReadAllAsync(StateName.Summary, MaxBytes, cancellationToken) ?? [], medium.Where(StateName.Summary));

    /// <param name="path">The file's location, for people.</param>
    public static Dictionary<PairKey, PairSummary> Read(byte[] octets, string path)
    {
        var summaries = new Dictionary<PairKey, PairSummary>();
        var first = true;
        foreach (var range in octets.AsSpan().Split((byte)'\n'))
        {
            // Each line has an independent CRC, so one bad line affects only one pair.
            var sound = RecordWriter.TrySplit(octets.AsSpan()[range], out var record, out var crc) && crc == Crc32C.Append(0, record);
            try
            {
                if (first && (!sound || !IsHeader(record, path)))
                    return summaries;
                // Lines that do not describe a folder pair are skipped without being parsed. Parsing would throw an exception for each of
                // them, which takes long if there are many.
                if (!first && sound && record.StartsWith("pair "u8) && Read(record) is var summary)
                    summaries[summary.Pair] = summary;
            }
            catch (StateDamagedException)
            {
                // A line that can't be parsed is left out.
            }

            first = false;
        }

        return summaries;
    }

    public static ReadOnlyMemory<byte> Write(IEnumerable<PairSummary> summaries)
    {
        var lines = new RecordWriter(isChained: false);
        lines.Begin(Magic).Add(Version).End();
        foreach (var summary in summaries)
            Write(lines, summary);
        return lines.Written;
    }

    private static bool IsHeader(ReadOnlySpan<byte> record, string path)
    {
        var fields = new RecordFields(record);
        if (!fields.Next().SequenceEqual(Magic))
            return false;
        StateVersion.Check(path, fields.Number(), Version);
        return true;
    }

    private static void Write(RecordWriter line, PairSummary summary)
    {
        line.Begin("pair"u8).Add(summary.Pair.Source.ToString()).Add(summary.Pair.Target.ToString())
            .Add(summary.Rules).Add((ulong)summary.Settled).Add((ulong)summary.Skipped).Add(summary.MailboxId).Add(summary.Subscribed ? 1UL : 0);
        Write(line, summary.Source);
        if (summary.Target is { } target)
            Write(line, target);
        line.End();
    }

    private static void Write(RecordWriter line, FolderStatus status)
    {
        line.Add(status.UidValidity.Value).Add(status.UidNext.Value).Add((ulong)status.Messages);
        Write(line, (ulong?)status.Unseen);
        Write(line, status.HighestModSeq?.Value);
    }

    private static void Write(RecordWriter line, ulong? number)
    {
        if (number is { } known)
            line.Add(known);
        else
            line.Add(null);
    }

    private static PairSummary Read(ReadOnlySpan<byte> record)
    {
        var fields = new RecordFields(record);
        if (!fields.Next().SequenceEqual("pair"u8))
            throw new StateDamagedException("it is no pair");
        var pair = new PairKey(ReadPath(ref fields), ReadPath(ref fields));
        var rules = fields.RequiredText();
        var (settled, skipped, mailboxId, subscribed) = ((long)fields.Number(), (long)fields.Number(), fields.Text(), fields.Number() == 1);
        var source = ReadStatus(ref fields);
        var target = fields.AtEnd ? (FolderStatus?)null : ReadStatus(ref fields);
        fields.End();
        return new PairSummary(pair, source, target, rules, settled, skipped, mailboxId, subscribed);
    }

    private static FolderPath ReadPath(ref RecordFields fields) =>
        FolderPath.TryParse(fields.RequiredText(), out var path) ? path : throw new StateDamagedException("a folder path can't be read");

    private static FolderStatus ReadStatus(ref RecordFields fields) =>
        new(
            new UidValidity(fields.Number32()),
            new Uid(fields.Number32()),
            (long)fields.Number(),
            (long?)fields.OptionalNumber(),
            fields.OptionalNumber() is { } modSeq ? new ModSeq(modSeq) : null);
}
