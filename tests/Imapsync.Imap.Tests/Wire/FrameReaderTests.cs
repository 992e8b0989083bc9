using System.Buffers;
using System.Text;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Tests.Wire;

public sealed class FrameReaderTests
{
    public static TheoryData<string> Streams =>
    [
        "* OK ready\r\nA1 OK done\r\n",
        "* OK LF alone\n* 1 EXISTS\n",
        "* LIST () \"/\" {5}\r\nIN\r\nX\r\n* LIST () \"/\" b\r\n",
        "* LIST () \"/\" {3+}\r\nabc\r\n",
        "* X ~{2}\r\n\0\x01 {0}\r\n {4}\r\n}\r\n{\r\n",
        "\r\n* 2 EXISTS\r\n",
        "* OK text that looks like a literal {99}\r\nA2 NO the same {5}\r\n+ go {3}\r\n",
        "* 1 FETCH (UID 7 BODY[] {6}\r\na\r\nb{1 FLAGS (\\Seen))\r\n* 2 FETCH (BODY[]<0> ~{2}\r\n{} UID 8)\r\n",
        "* 1 FETCH (UID 7 BODY[] {0}\r\n X {2}\r\nhi)\r\nA1 OK\r\n",
        "* 1 FETCH (BODY[] {3}\r\nabc BODY[TEXT] {2}\r\nde UID 4)\r\n",
    ];

    [Theory]
    [MemberData(nameof(Streams))]
    public void However_the_input_is_torn_the_frames_are_the_same(string stream)
    {
        var octets = Encoding.Latin1.GetBytes(stream);
        var whole = Frames(octets, octets.Length);
        Assert.NotEmpty(whole);
        for (var size = 1; size < octets.Length; size++)
            Assert.Equal(whole, Frames(octets, size));
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void Cut_anywhere_it_gives_a_beginning_of_the_frames_and_waits_for_more(string stream)
    {
        var octets = Encoding.Latin1.GetBytes(stream);
        var whole = Frames(octets, octets.Length);
        for (var cut = 0; cut < octets.Length; cut++)
        {
            var some = Frames(octets.AsSpan(0, cut).ToArray(), octets.Length);
            Assert.True(some.Count <= whole.Count);
            // Cutting the stream may shorten a body; all other frames must be identical.
            for (var i = 0; i < some.Count; i++)
                Assert.StartsWith(some[i], whole[i], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_literal_is_part_of_its_frame_and_a_body_is_not()
    {
        Assert.Equal(["* LIST () \"/\" {5}\r\nIN\r\nX\r\n"], Frames("* LIST () \"/\" {5}\r\nIN\r\nX\r\n"u8.ToArray(), 4));
        Assert.Equal(
            ["body:hello", "* 1 FETCH (UID 7 BODY[] {5}\r\n FLAGS ())\r\n"],
            Frames("* 1 FETCH (UID 7 BODY[] {5}\r\nhello FLAGS ())\r\n"u8.ToArray(), 100));
    }

    [Fact]
    public void Limits_end_it()
    {
        var limits = new ImapLimits { MaxLineBytes = 20, MaxInlineLiteralBytes = 10, MaxFrameBytes = 40 };
        foreach (var stream in (string[])
            ["* OK aaaaaaaaaaaaaaaaaaaaaaaa", "* LIST {11}\r\n", "* LIST {99999999999999999999}\r\n", "* LIST {9}\r\n123456789 {9}\r\n123456789 {9}\r\n123456789",
             "* 1 FETCH (BODY[] {99999999999999999999}\r\n"])
        {
            Assert.Throws<ImapProtocolException>(() => Frames(Encoding.Latin1.GetBytes(stream), 7, limits with { MaxLineBytes = stream.Contains("BODY[", StringComparison.Ordinal) ? 99 : 20 }));
        }
    }

    private static List<string> Frames(byte[] octets, int size, ImapLimits? limits = null)
    {
        var reader = new FrameReader(limits ?? ImapLimits.Default);
        var frames = new List<string>();
        long body = 0;
        for (var at = 0; at < octets.Length; at += size)
        {
            var input = new SequenceReader<byte>(new ReadOnlySequence<byte>(octets, at, Math.Min(size, octets.Length - at)));
            while (true)
            {
                var take = Math.Min(body, input.Remaining);
                if (take > 0)
                {
                    frames[^1] += Encoding.Latin1.GetString(input.UnreadSpan[..(int)take]);
                    input.Advance(take);
                    body -= take;
                }

                if (body > 0)
                    break;
                var status = reader.Read(ref input, out var frame);
                if (status == FrameStatus.NeedMore)
                    break;
                if (status == FrameStatus.Frame)
                {
                    frames.Add(Encoding.Latin1.GetString(frame));
                    continue;
                }

                frames.Add("body:");
                body = reader.BodyLength;
            }
        }

        return frames;
    }
}
