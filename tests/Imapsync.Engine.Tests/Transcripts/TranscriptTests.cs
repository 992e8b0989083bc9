using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Transcripts;

/// <summary>Plays each transcript whole, one octet at a time, cut at every octet, and damaged at random.</summary>
public sealed class TranscriptTests
{
    private const int FuzzRuns = 40;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Names =>
        [.. Directory.EnumerateFiles(Transcript.Directory, "*.txt", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(Transcript.Directory, f)).Order()];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_server_is_understood(string name)
    {
        var transcript = Transcript.Load(name);
        var dump = await RunAsync(new TranscriptServer(transcript));
        Assert.True(transcript.Expected == dump, $"expected:\n{transcript.Expected}\nfound:\n{dump}");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_server_is_understood_one_octet_at_a_time(string name)
    {
        var transcript = Transcript.Load(name);
        var dump = await RunAsync(new TranscriptServer(transcript, segment: 1));
        Assert.True(transcript.Expected == dump, $"expected:\n{transcript.Expected}\nfound:\n{dump}");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Cut_at_every_octet_nothing_is_made_up(string name)
    {
        var transcript = Transcript.Load(name);
        var whole = new TranscriptServer(transcript);
        await RunAsync(whole);
        var messages = transcript.Expected.Split('\n').Where(l => l.Contains('\'', StringComparison.Ordinal)).ToHashSet();
        for (var cut = 0; cut < whole.Sent; cut++)
        {
            var dump = await RunAsync(new TranscriptServer(transcript, cut: cut));
            foreach (var line in dump.Split('\n').Where(l => l.StartsWith("  ", StringComparison.Ordinal) && l.Contains('\'', StringComparison.Ordinal)))
                Assert.True(messages.Contains(line), $"cut at {cut}: {line}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Damaged_at_random_it_ends_in_an_orderly_way(string name)
    {
        var transcript = Transcript.Load(name);
        for (var seed = 1; seed <= FuzzRuns; seed++)
        {
            var random = new Random(seed);
            try
            {
                await RunAsync(new TranscriptServer(transcript, damage: text => Damage(text, random)), TimeSpan.FromMilliseconds(100));
            }
            catch (Exception e)
            {
                Assert.Fail($"{name} damaged with seed {seed}: {e}");
            }
        }
    }

    /// <param name="step">
    /// How far the clock advances at a time, so that the client times out when a damaged reply never comes. By default time stands still.
    /// </param>
    private static async Task<string> RunAsync(TranscriptServer server, TimeSpan step = default)
    {
        var clock = new ManualClock();
        var run = StoreDump.TakeAsync(server, clock, Token);
        while (step != default && !run.IsCompleted)
        {
            clock.Advance(step);
            await Task.Yield();
        }

        return await run;
    }

    private static string Damage(string text, Random random)
    {
        if (text.Length == 0 || random.Next(3) > 0)
            return text;
        var damaged = new StringBuilder(text);
        var at = random.Next(text.Length);
        switch (random.Next(4))
        {
            case 0:
                damaged[at] = (char)random.Next(256);
                break;
            case 1:
                damaged.Remove(at, Math.Min(random.Next(1, 8), text.Length - at));
                break;
            case 2:
                damaged.Insert(at, "(){}[]\"\\*%~ \r\n0"[random.Next(15)]);
                break;
            default:
                damaged.Insert(at, text.AsSpan(0, at));
                break;
        }

        return damaged.ToString();
    }
}
