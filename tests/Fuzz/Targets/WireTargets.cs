using System.Buffers;
using System.Globalization;
using System.Text;
using Imapsync.Imap;
using Imapsync.Imap.Wire;

namespace Imapsync.Fuzz.Tests.Targets;

/// <summary>
/// Fuzz targets for the lowest layer of the IMAP client: splitting octets into responses and these into tokens, and parsing values.
/// </summary>
internal static class WireTargets
{
    private static readonly ImapLimits Limits = new() { MaxLineBytes = 4096, MaxInlineLiteralBytes = 4096, MaxFrameBytes = 16384 };

    public static FuzzTarget[] All { get; } =
    [
        new("frames", Frames, TranscriptLines.All) { Grammar = ReplyGrammar.Make },
        new("tokens", Tokens, TranscriptLines.All) { Grammar = ReplyGrammar.Make, Weight = 2 },
        new("codes", Codes, [.. TranscriptLines.All.Where(l => l.Contains((byte)'['))]) { Grammar = ReplyGrammar.MakeStatus, Weight = 2 },
        new("utf7", ModifiedUtf7Names, FuzzTarget.Texts("INBOX", "&U,BTFw-", "Entw&APw-rfe", "&-", "&2D3cqQ-", "a&AOQ-b&AOQ-/&ZeVnLIqe-"))
        {
            Words = FuzzTarget.Texts("&", "-", "&-", "&2AA-", "&3AA-", "&AAA-", "&AGE-", "&====-", ",", "/"), Weight = 2,
        },
        new("dates", Dates, FuzzTarget.Texts("17-Jul-2024 02:44:25 +0000", " 1-Jan-1970 00:00:00 -1200", "31-Dec-9999 23:59:60 +1400", "1-Jan-0001 00:00:00 +0100"))
        {
            Words = FuzzTarget.Texts("Feb", "30", "-9999", "+2400", ":60", "  "), Weight = 2,
        },
        new("uid-sets", UidSets, FuzzTarget.Texts("1:3,7", "4294967295", "9:1,1,2,3:5", "1:*")) { Words = FuzzTarget.Texts(",", ":", "*", "4294967295", "0", "1:4294967295"), Weight = 2 },
    ];

    /// <summary>The frames must be the same, whether the octets are in one buffer or split over several.</summary>
    private static void Frames(byte[] octets)
    {
        var whole = Cut(new ReadOnlySequence<byte>(octets), int.MaxValue);
        var torn = Cut(new ReadOnlySequence<byte>(octets), 1 + (octets.Length % 9));
        Assert.Equal(whole, torn);
    }

    private static void Tokens(byte[] octets)
    {
        var tokens = new Tokenizer(octets, octets.AsSpan().IndexOf((byte)'\n') + 1);
        var count = 0;
        while (tokens.Next() is { Kind: not TokenKind.End } token)
        {
            _ = token.ToText();
            _ = WireNumber.TryParse(token.Raw, out long _);
            Assert.True(++count <= octets.Length, "more tokens than octets");
        }

        try
        {
            tokens = new Tokenizer(octets);
            tokens.SkipValue();
            tokens.SkipList();
            tokens = new Tokenizer(octets);
            var flags = new FlagReader(Limits);
            _ = flags.Read(ref tokens);
            _ = FetchItems.Read(new Tokenizer(octets), flags);
            _ = FetchItems.FindUid(octets, -1, Limits);
        }
        catch (ImapProtocolException)
        {
            // ImapProtocolException is the documented answer to lists that are nested too deeply, so it is no finding.
        }
    }

    private static void Codes(byte[] octets)
    {
        if (StatusParser.TryParse(octets, ImapLimits.Default) is not { } reply)
            return;
        var refusal = RefusalClassifier.Classify(reply);
        Assert.True(refusal.RetryAfter is null || refusal.RetryAfter >= TimeSpan.Zero);
        _ = reply.ToString();
        if (reply.Code is { } code)
            _ = (code.Number, code.ModSeq, code.Words.Count());
    }

    /// <summary>A name that is valid modified UTF-7 must decode to the same text after it is encoded again.</summary>
    private static void ModifiedUtf7Names(byte[] octets)
    {
        var wire = Encoding.Latin1.GetString(octets);
        _ = ModifiedUtf7.Decode(wire);
        if (ModifiedUtf7.TryDecode(wire, out var name))
            Assert.Equal(name, ModifiedUtf7.Decode(ModifiedUtf7.Encode(name)));
    }

    private static void Dates(byte[] octets)
    {
        if (ImapDate.TryParse(octets, out var date))
            Assert.True(ImapDate.TryParse(Encoding.Latin1.GetBytes(ImapDate.Format(date)), out var again) && again == date);
    }

    private static void UidSets(byte[] octets)
    {
        if (!UidSet.TryParse(Encoding.Latin1.GetString(octets), out var set))
            return;
        Assert.InRange(set.Count, 1, uint.MaxValue);
        Assert.True(UidSet.TryParse(set.ToString(), out var again) && again.Count == set.Count);
        _ = set.Contains(new Uid(7));
    }

    /// <summary>Returns the frames as text; the bodies between them are skipped, as the connection does.</summary>
    private static string Cut(ReadOnlySequence<byte> octets, int pieces)
    {
        var reader = new FrameReader(Limits);
        var frames = new StringBuilder();
        long skip = 0;
        try
        {
            for (long at = 0; at < octets.Length;)
            {
                var input = new SequenceReader<byte>(octets.Slice(at, Math.Min(pieces, octets.Length - at)));
                var skipped = Math.Min(skip, input.Remaining);
                input.Advance(skipped);
                skip -= skipped;
                if (!input.End || skipped == 0)
                {
                    var status = reader.Read(ref input, out var frame);
                    if (status != FrameStatus.NeedMore)
                        frames.Append(CultureInfo.InvariantCulture, $"{status} {Encoding.Latin1.GetString(frame)}|");
                    if (status == FrameStatus.Body)
                        skip = reader.BodyLength;
                }

                at += input.Consumed;
            }
        }
        catch (ImapProtocolException e)
        {
            frames.Append(e.Message);
        }

        return frames.ToString();
    }
}
