using Imapsync.Tests.Support;
using System.Buffers;
using System.Text;
using Imapsync.Imap.Commands;
using Imapsync.Imap.Connection;
using Imapsync.Imap.Tests.Transcripts;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Tests.Fuzz;

/// <summary>The readers by themselves under damaged and random octets: they end, and throw nothing but <see cref="ImapProtocolException"/>.</summary>
public sealed class ReaderFuzzTests
{
    private const int Inputs = 100_000;

    private static readonly ImapLimits Limits = new() { MaxLineBytes = 4096, MaxInlineLiteralBytes = 4096, MaxFrameBytes = 16384 };

    private static readonly byte[][] Lines =
        [.. Transcript.Names.SelectMany(n => Transcript.Load(n).Turns).SelectMany(t => SplitLines(t.Server)).Where(l => l.Length > 2)];

    [Fact]
    public void Frames_are_cut_the_same_however_the_octets_are_torn() => ForEachInput(Inputs / 2, (octets, random) =>
    {
        var whole = Cut(new ReadOnlySequence<byte>(octets), int.MaxValue);
        var torn = Cut(new ReadOnlySequence<byte>(octets), 1 + random.Next(9));
        Assert.Equal(whole, torn);
    });

    [Fact]
    public void Tokens_end_with_the_frame() => ForEachInput(Inputs, (octets, random) =>
    {
        var tokens = new Tokenizer(octets, random.Next(octets.Length + 1) - 1);
        var count = 0;
        while (tokens.Next() is { Kind: not TokenKind.End } token)
        {
            _ = token.ToText();
            Assert.True(++count <= octets.Length, "more tokens than octets");
        }
    });

    [Fact]
    public void Lists_in_tokens_are_skipped_within_bounds() => ForEachInput(Inputs, octets =>
    {
        var tokens = new Tokenizer(octets);
        tokens.SkipValue();
        tokens.SkipList();
    });

    [Fact]
    public void Replies_are_read_by_every_command() => ForEachInput(Inputs, (octets, random) =>
    {
        var limits = Limits;
        var offered = new ImapCapabilities(["CONDSTORE", "OBJECTID", "LIST-STATUS"]);
        var rows = new List<FetchedMessage>();
        ImapCommand[] commands =
        [
            new ListCommand(ListForm.Extended, "", "*", offered, limits), new StatusCommand("x", offered), new SelectCommand("x", false, true),
            new FetchMetadataCommand("1:*", true, null, rows, () => 10), new FetchBodiesCommand(UidSet.Range(new Uid(1), new Uid(9)), "", new BodyFeed()),
            new NamespaceCommand(), new IdCommand(),
        ];
        foreach (var command in commands)
        {
            var response = ImapResponse.Parse(octets, random.Next(3) == 0 ? random.Next(octets.Length) : -1, limits);
            if (response.Status is { } status)
                command.OnStatus(status);
            else if (response.Kind == ResponseKind.Data)
                command.OnUntagged(ref response);
        }

        Assert.True(rows.Count <= 1);
    });

    [Fact]
    public void Response_codes_are_read_or_left_as_text() => ForEachInput(Inputs, octets =>
    {
        if (StatusReply.TryParse(octets) is not { } reply)
            return;
        var refusal = ServerText.Classify(reply);
        Assert.True(refusal.RetryAfter is null || refusal.RetryAfter >= TimeSpan.Zero);
        _ = reply.ToString();
        if (reply.Code is { } code)
            _ = (code.Number, code.ModSeq, code.Words.Count());
    });

    [Fact]
    public void Dates_names_and_flags_are_read_or_refused() => ForEachInput(Inputs, octets =>
    {
        if (ImapDate.TryParse(octets, out var date))
            Assert.True(ImapDate.TryParse(Encoding.Latin1.GetBytes(ImapDate.Format(date)), out var again) && again == date);
        _ = ModifiedUtf7.Decode(Encoding.Latin1.GetString(octets));
        var tokens = new Tokenizer(octets);
        _ = new FlagReader().Read(ref tokens);
        _ = WireNumber.TryParse(octets, out long _);
    });

    private static void ForEachInput(int count, Action<byte[]> read) => ForEachInput(count, (octets, _) => read(octets));

    private static void ForEachInput(int count, Action<byte[], Random> read)
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            var octets = Mutation.Apply(Lines[random.Next(Lines.Length)], Lines[random.Next(Lines.Length)], random);
            if (octets.Length > 0 && random.Next(3) == 0)
                octets = octets[random.Next(octets.Length)..];
            try
            {
                read(octets, random);
            }
            catch (ImapProtocolException)
            {
                // A limit was passed.
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, input {i}: {Transcript.Escape(Encoding.Latin1.GetString(octets))}\n{e}");
            }
        }
    }

    /// <summary>The frames as text, with the bodies that come between left out as the connection would.</summary>
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
                        frames.Append(status).Append(' ').Append(Encoding.Latin1.GetString(frame)).Append('|');
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

    private static IEnumerable<byte[]> SplitLines(byte[] octets)
    {
        for (var at = 0; at < octets.Length;)
        {
            var end = Array.IndexOf(octets, (byte)'\n', at);
            end = end < 0 ? octets.Length : end + 1;
            yield return octets[at..end];
            at = end;
        }
    }
}
