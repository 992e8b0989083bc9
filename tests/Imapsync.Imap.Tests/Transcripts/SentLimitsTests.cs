using System.Text;

namespace Imapsync.Imap.Tests.Transcripts;

/// <summary>Limits on what the client sends: short sets, ascending ranges, no macros, no ENVELOPE.</summary>
public sealed class SentLimitsTests
{
    [Theory]
    [InlineData(900)]
    [InlineData(8_000)]
    [InlineData(16_000)]
    [InlineData(64_000)]
    public void Sets_of_uids_are_split_to_the_servers_length_and_lose_none(int maxLength)
    {
        var uids = new UidSet(Enumerable.Range(1, 20_000).Where(i => i % 3 != 0).Select(i => new Uid((uint)i * 200_000)));
        var pieces = uids.ToWire(maxLength).ToList();
        Assert.All(pieces, p => Assert.InRange(p.Length, 1, maxLength));
        Assert.True(UidSet.TryParse(string.Join(',', pieces), out var back));
        Assert.Equal(uids.Ranges, back.Ranges);
        Assert.True(pieces.Count == 1 || pieces.Zip(pieces.Skip(1)).All(p => p.First.Length + p.Second.Length >= maxLength));
    }

    [Fact]
    public void Ranges_are_ascending_whatever_order_they_came_in()
    {
        var random = new Random(4);
        var set = new UidSet();
        foreach (var uid in Enumerable.Range(1, 500).OrderBy(_ => random.Next()).Where(i => i % 7 != 0))
            set.Add(new Uid((uint)uid));
        Assert.True(UidSet.TryParse("9:7,3,5:4", out var backwards));
        Assert.Equal("3:5,7:9", backwards.ToString());
        var ends = set.ToString().Split(',', ':').Select(uint.Parse).ToList();
        Assert.Equal(ends.Order(), ends);
    }

    [Fact]
    public void The_last_uid_there_can_be_is_no_overflow()
    {
        var set = UidSet.Range(new Uid(uint.MaxValue - 1), new Uid(uint.MaxValue));
        Assert.Equal(2, set.Enumerate().Count());
        Assert.Equal("4294967294:4294967295", set.ToString());
    }

    [Fact]
    public void No_transcript_has_the_client_send_macros_envelopes_searches_or_long_lines()
    {
        foreach (var (name, line) in Transcript.Names.SelectMany(n => Transcript.Load(n).Turns.SelectMany(t => Lines(t.Client).Select(l => (n, l)))))
        {
            foreach (var word in (string[])["ENVELOPE", "BODYSTRUCTURE", "CHARSET", " SEARCH", "(ALL)", " ALL", "FULL", "FAST"])
                Assert.False(line.Contains(word, StringComparison.Ordinal), $"{name}: {line}");
            Assert.True(line.Length <= 1000, $"{name}: {line}");
        }
    }

    private static string[] Lines(byte[] octets) => Encoding.Latin1.GetString(octets).Split("\r\n");
}
