using System.Security.Cryptography;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// Finds the messages of an mbox of any variant by reading all of it. (1) A line <c>From … date</c> is a postmark, even without an empty
/// line before it. (2) After an empty line, any line <c>From </c> is a postmark if a header field follows (<see cref="PostmarkLines"/>).
/// (3) A Content-Length is believed only if it leads to a postmark or the end of the file. (4) Blocks of NUL octets between messages, left
/// by a crash, are skipped and reported as doubts.
/// </summary>
/// <param name="announced">
/// The ascending offsets of messages that this program was writing when it was interrupted (see <see cref="InterruptedWindow"/>). A message
/// begins there even if its postmark is incomplete.
/// </param>
/// <param name="recordAt">
/// Returns the index's record of the message at an offset; null for none. The record's form (quoting and line ends) is believed rather than
/// the file's.
/// </param>
internal sealed class MboxScanner(MboxInput input, MboxStamp stamp, Func<long, MboxRecord?> recordAt, IReadOnlyList<long> announced) : IDisposable
{
    private readonly ByteBuffer decoded = new();
    private readonly List<ScannedMessage> messages = [];
    private readonly FlagSetPool flags = new();
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly MessageKey key = new();
    private MboxForm quoting;
    private readonly List<string> doubts = [];
    private readonly PostmarkLines postmarks = new(input);

    /// <summary>
    /// Lines inside a message with a believed Content-Length that look like the beginning of a message. Each has that message's offset, its
    /// own offset, and whether a true Content-Length follows the line.
    /// </summary>
    private readonly List<(long Covering, long Offset, bool HasLength)> covered = [];
    private bool hasMessageWithoutLength;
    private bool hasOtherTrueLength;

    /// <summary>Descriptions of the places, with their offsets, where it is unclear whether a message begins.</summary>
    public IReadOnlyList<string> Doubts => doubts;

    public IReadOnlyList<ScannedMessage> Messages => messages;

    /// <summary>How many messages were left out because they were deleted in Thunderbird.</summary>
    public int Expunged { get; private set; }

    public MboxVariants Variants { get; private set; }

    public async Task ScanAsync(CancellationToken cancellationToken)
    {
        await ScanOnceAsync(cancellationToken);
        // An unquoted "From " inside a text shows that the file's writer does not quote as mboxrd does. This may show only late in the
        // file, so the file is scanned again.
        if (Variants.HasFlag(MboxVariants.Mboxo))
        {
            quoting = MboxForm.QuotedOnce;
            await ScanOnceAsync(cancellationToken);
        }
    }

    public void Dispose()
    {
        decoded.Dispose();
        key.Dispose();
        hash.Dispose();
    }

    private async Task ScanOnceAsync(CancellationToken cancellationToken)
    {
        messages.Clear();
        doubts.Clear();
        covered.Clear();
        hasMessageWithoutLength = hasOtherTrueLength = false;
        Expunged = 0;
        var position = await FindFirstAsync(cancellationToken);
        while (position < stamp.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            position = await ScanMessageAsync(position, cancellationToken);
        }

        // A covered line looks like the beginning of a message, but lies within another message's Content-Length. Programs write
        // Content-Length into every message or none. So without a Content-Length after the line, the message merely quotes an mbox. But if
        // other messages have none, either, a sender may have written the length, and it may be wrong.
        foreach (var (covering, offset, hasLength) in covered)
        {
            if (hasLength || hasMessageWithoutLength || !hasOtherTrueLength)
                doubts.Add($"the Content-Length of the message at octet {covering} also covers what looks like a message of its own, at octet {offset}, which is taken for a part of it");
        }
    }

    private async Task<long> FindFirstAsync(CancellationToken cancellationToken)
    {
        var start = await input.GetAsync(0, Postmark.MaxLength, cancellationToken);
        var mark = start.Span.StartsWith(ForeignMail.ByteOrderMark) ? ForeignMail.ByteOrderMark.Length : 0;
        var blank = start.Span[mark..].IndexOfAnyExcept((byte)'\r', (byte)'\n');
        var first = blank < 0 ? start.Length : mark + blank;
        if (first >= stamp.Length)
            return stamp.Length;
        if (!start.Span[first..].StartsWith("From "u8))
        {
            Variants |= MboxVariants.LeadingText;
            if (await postmarks.LooksLikeMailAsync(first, cancellationToken))
                doubts.Add($"the text before the first message, at octet {first}, looks like a message and is left out: it has no line \"From \" of its own");
            var begin = await FindPostmarkAsync(first, nulsFrom: first, cancellationToken);
            _ = await WithoutNulsAsync(first, begin, cancellationToken);
            return begin;
        }

        if (!await postmarks.IsDatedAsync(first, cancellationToken))
            Variants |= MboxVariants.DatelessPostmarks;
        return first;
    }

    private async Task<long> ScanMessageAsync(long start, CancellationToken cancellationToken)
    {
        var line = await input.GetLineAsync(start, Postmark.MaxLength, cancellationToken);
        var postmark = default(Postmark);
        (DateTimeOffset Date, bool IsSure)? told = null;
        if (line is { } octets)
        {
            _ = Postmark.TryParse(octets.Span, out postmark);
            told = PostmarkDate.Read(octets.Span);
        }

        var body = Math.Min(start + (line?.Length ?? 4) + 1, stamp.Length);
        var fields = await MessageFields.ReadAsync(input, body, stamp.Length, cancellationToken);
        var known = recordAt(start);
        var form = known?.Form ?? (postmark.Form | quoting);
        if (fields.UsesCrLf && !form.HasFlag(MboxForm.Exchanged))
            Variants |= MboxVariants.CrLf;

        long next, end;
        var bodyText = body + fields.HeaderLength;
        hasMessageWithoutLength |= fields.ContentLength is null && !fields.IsPseudoMessage;
        if (fields.ContentLength is { } length && await LandsAsync(bodyText, length, cancellationToken) is { } landed)
        {
            var hasFromLine = await FindAnyFromAsync(bodyText, bodyText + length, cancellationToken);
            if (hasFromLine && await FindCoveredAsync(bodyText, bodyText + length, cancellationToken) is { } inside)
                covered.Add((start, inside.Offset, inside.HasLength));
            else
                hasOtherTrueLength = true;
            Variants |= hasFromLine ? MboxVariants.Mboxcl2 : MboxVariants.Mboxcl;
            form = (form & ~MboxForm.QuotedOnce) | (hasFromLine ? MboxForm.Unquoted : MboxForm.QuotedOnce);
            (end, next) = (bodyText + length, landed);
        }
        else
        {
            // NUL octets count as part of a message (1) within the length that the index records for it, or (2) if this program began to
            // write it.
            var nulsFrom = announced.Contains(start) ? stamp.Length : Math.Max(body, known is { } record ? record.Offset + record.Length : 0);
            next = await FindPostmarkAsync(body, nulsFrom, cancellationToken);
            end = await WithoutEmptyLineAsync(body, await WithoutNulsAsync(nulsFrom, next, cancellationToken), cancellationToken);
        }

        if (end == next && next == stamp.Length && next > body)
            Variants |= MboxVariants.NoLastEmptyLine;
        if (messages.Count == 0 && start == 0 && fields.IsPseudoMessage)
            Variants |= MboxVariants.PseudoMessage;
        else if (fields.IsExpunged)
            Expunged++;
        else
            messages.Add(new ScannedMessage(await DigestAsync(start, body, end, form, DateOf(postmark, told, fields), fields, cancellationToken), end < next, next));
        return next;
    }

    private async Task<MboxRecord> DigestAsync(
        long start, long body, long end, MboxForm form, DateTimeOffset date, MessageFields fields, CancellationToken cancellationToken)
    {
        var decoder = new MboxDecoder(decoded, form);
        long octets = 0;
        for (var position = body; position < end;)
        {
            var block = await input.GetAsync(position, 1, cancellationToken);
            var piece = block[..(int)Math.Min(block.Length, Math.Min(end - position, 32 << 10))];
            if (piece.IsEmpty)
                break;
            decoder.Transform(piece.Span);
            octets += Drain();
            position += piece.Length;
        }

        decoder.Finish();
        octets += Drain();
        return new MboxRecord(Uid.None, start, end - start, octets, date, form, FinishDigest(hash), flags.Intern(fields.Flags), key.Finish());
    }

    /// <summary>
    /// Returns the first of these dates that exists: (1) the postmark's if its time zone is certain, (2) the header's, (3) the postmark's,
    /// which may be wrong by half a day, (4) the file's time.
    /// </summary>
    private DateTimeOffset DateOf(Postmark postmark, (DateTimeOffset Date, bool IsSure)? told, MessageFields fields) => told switch
    {
        (var date, true) => date,
        (var date, false) => fields.Date ?? date,
        _ => fields.Date ?? postmark.Date ?? new DateTimeOffset(stamp.ModifiedTicks, TimeSpan.Zero),
    };

    private int Drain()
    {
        hash.AppendData(decoded.Written.Span);
        key.Append(decoded.Written.Span);
        var count = decoded.Count;
        decoded.Clear();
        return count;
    }

    public static UInt128 FinishDigest(IncrementalHash hash)
    {
        Span<byte> digest = stackalloc byte[32];
        hash.GetHashAndReset(digest);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(digest);
    }

    /// <summary>
    /// Returns where the next message begins, or the end of the file. The search starts at the line end before <paramref name="from"/>.
    /// </summary>
    /// <param name="nulsFrom">From this offset on, a postmark is also found directly after a block of NUL octets.</param>
    private async ValueTask<long> FindPostmarkAsync(long from, long nulsFrom, CancellationToken cancellationToken)
    {
        var position = Math.Max(0, from - 1);
        var begun = announced.FirstOrDefault(o => o >= from, stamp.Length);
        while (true)
        {
            var found = await FindFromLineAsync(position, begun, mayFollowNul: nulsFrom < begun, cancellationToken);
            if (found < 0)
                return Math.Min(begun, stamp.Length);
            if (await StartOfNulsAsync(found, cancellationToken) is var nuls && nuls < found)
            {
                if (nuls >= nulsFrom && await FollowsLineEndAsync(nuls, cancellationToken) && await postmarks.IsDatedAsync(found, cancellationToken)
                    && await postmarks.IsBeforeFieldAsync(found, cancellationToken))
                    return found;
            }
            else if (await BeginsMessageAsync(found, cancellationToken))
            {
                return found;
            }
            else
            {
                Variants |= MboxVariants.Mboxo;
            }

            position = found;
        }
    }

    /// <summary>Returns the end of a text without the NUL octets after its last line end. These octets are reported as a doubt.</summary>
    /// <param name="from">NUL octets before this offset belong to the text.</param>
    /// <param name="end">The end of the text, including any NUL octets.</param>
    private async ValueTask<long> WithoutNulsAsync(long from, long end, CancellationToken cancellationToken)
    {
        var nuls = Math.Max(from, await StartOfNulsAsync(end, cancellationToken));
        if (nuls >= end || !await FollowsLineEndAsync(nuls, cancellationToken))
            return end;
        doubts.Add($"the {end - nuls} NUL octets at octet {nuls} are left out: a crash may have left them in place of mail");
        return nuls;
    }

    /// <summary>Returns where the run of NUL octets before an offset begins; the offset itself if there is none.</summary>
    private async ValueTask<long> StartOfNulsAsync(long before, CancellationToken cancellationToken)
    {
        const int most = 4096;
        // The first step reads one octet, which nearly always shows that there is no run.
        for (var piece = 1; before > 0; piece = most)
        {
            var from = Math.Max(0, before - piece);
            var block = (await input.GetAsync(from, (int)(before - from), cancellationToken))[..(int)(before - from)];
            var last = block.Span.LastIndexOfAnyExcept((byte)0);
            if (last >= 0)
                return from + last + 1;
            before = from;
        }

        return 0;
    }

    private async ValueTask<bool> FollowsLineEndAsync(long at, CancellationToken cancellationToken) =>
        at == 0 || (await input.GetAsync(at - 1, 1, cancellationToken)).Span[0] == '\n';

    private async ValueTask<bool> BeginsMessageAsync(long at, CancellationToken cancellationToken)
    {
        if (await postmarks.IsDatedAsync(at, cancellationToken))
            return true;
        if (!await postmarks.IsBeforeFieldAsync(at, cancellationToken))
            return false;
        var begins = await postmarks.FollowsEmptyLineAsync(at, cancellationToken);
        var looksSo = await postmarks.LooksWrittenByProgramAsync(at, cancellationToken);
        if (begins)
            Variants |= MboxVariants.DatelessPostmarks;
        if (begins != looksSo)
            doubts.Add($"a line \"From \" with a field after it at octet {at} is taken {(begins ? "to begin a message" : "for text: no empty line is before it")}");
        return begins;
    }

    private async ValueTask<bool> FindAnyFromAsync(long from, long to, CancellationToken cancellationToken) =>
        await FindFromLineAsync(from - 1, to, mayFollowNul: false, cancellationToken) >= 0;

    /// <summary>
    /// Returns the first line of a text that looks like the beginning of a message covered by a Content-Length: a postmark with a date,
    /// between an empty line and a header field. Null for none.
    /// </summary>
    private async ValueTask<(long Offset, bool HasLength)?> FindCoveredAsync(long from, long to, CancellationToken cancellationToken)
    {
        for (var at = from - 1; (at = await FindFromLineAsync(at, to, mayFollowNul: false, cancellationToken)) >= 0;)
        {
            if (!await postmarks.IsDatedAsync(at, cancellationToken) || !await postmarks.FollowsEmptyLineAsync(at, cancellationToken)
                || !await postmarks.IsBeforeFieldAsync(at, cancellationToken))
                continue;
            var header = at + (await input.GetLineAsync(at, Postmark.MaxLength, cancellationToken))!.Value.Length + 1;
            var fields = await MessageFields.ReadAsync(input, header, stamp.Length, cancellationToken);
            return (at, fields.ContentLength is { } length && await LandsAsync(header + fields.HeaderLength, length, cancellationToken) is not null);
        }

        return null;
    }

    /// <summary>
    /// Returns the offset of the first line before <paramref name="to"/> that begins with <c>From </c>; -1 when there is none.
    /// </summary>
    /// <param name="mayFollowNul">Whether a <c>From </c> directly after a NUL octet is found as well.</param>
    private async ValueTask<long> FindFromLineAsync(long position, long to, bool mayFollowNul, CancellationToken cancellationToken)
    {
        while (position + 6 <= to)
        {
            var block = await input.GetAsync(position, 6, cancellationToken);
            if (block.Length < 6)
                return -1;
            var at = block.Span.IndexOf("\nFrom "u8);
            if (mayFollowNul && block.Span[..(at < 0 ? block.Length : at)].IndexOf("\0From "u8) is var afterNul and >= 0)
                at = afterNul;
            if (at >= 0)
                return position + at + 1 < to ? position + at + 1 : -1;
            position += block.Length - 5;
        }

        return -1;
    }

    /// <summary>Returns the end of a message, without the one empty line before the next message or the end of the file.</summary>
    private async ValueTask<long> WithoutEmptyLineAsync(long body, long next, CancellationToken cancellationToken)
    {
        var from = Math.Max(body - 1, next - 3);
        if (from >= next)
            return next;
        var tail = (await input.GetAsync(from, (int)(next - from), cancellationToken))[..(int)(next - from)];
        if (tail.Span.EndsWith("\n\n"u8))
            return next - 1;
        return tail.Span.EndsWith("\n\r\n"u8) ? next - 2 : next;
    }

    /// <summary>
    /// Returns where the next message begins if the message's text has this length. Null if neither a message nor the end of the file is
    /// there.
    /// </summary>
    private async ValueTask<long?> LandsAsync(long text, long length, CancellationToken cancellationToken)
    {
        if (length > stamp.Length - text)
            return null;
        var end = text + length;
        if (end == stamp.Length)
            return end;
        if (length > 0 && (await input.GetAsync(end - 1, 1, cancellationToken)).Span[0] != '\n')
        {
            // Some writers' Content-Length does not include the text's last line end.
            if ((await input.GetAsync(end, 1, cancellationToken)).Span[0] is not ((byte)'\n' or (byte)'\r'))
                return null;
        }

        for (var i = 0; i < 4 && end < stamp.Length; i++)
        {
            var octets = await input.GetAsync(end, 1, cancellationToken);
            if (octets.Span[0] is not ((byte)'\n' or (byte)'\r'))
                break;
            end++;
        }

        return end == stamp.Length || await postmarks.IsDatedAsync(end, cancellationToken) || await postmarks.IsBeforeFieldAsync(end, cancellationToken) ? end : null;
    }
}
