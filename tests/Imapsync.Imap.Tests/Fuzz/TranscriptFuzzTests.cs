using Imapsync.Tests.Support;
using System.Globalization;
using System.Text;
using Imapsync.Imap.Tests.Transcripts;

namespace Imapsync.Imap.Tests.Fuzz;

/// <summary>
/// The client must end each damaged conversation with a result or a documented exception, in bounded time and memory.
/// IMAPSYNC_FUZZ_ITERATIONS sets the number of conversations; IMAPSYNC_FUZZ_SEED repeats one.
/// </summary>
[Collection("alone")]
public sealed class TranscriptFuzzTests
{
    private const int Iterations = 3000;
    private const int AtOnce = 64;
    private static readonly TimeSpan RetryPolicy = TimeSpan.FromSeconds(60);

    private static readonly ImapLimits Limits = new()
    {
        MaxLineBytes = 64 << 10,
        MaxInlineLiteralBytes = 64 << 10,
        MaxFrameBytes = 256 << 10,
        MaxHeldBodyBytes = 64 << 10,
        MaxDrainBytes = 64 << 10,
        MaxUnknownLines = 100,
    };

    [Fact]
    public async Task Damaged_conversations_end_in_a_documented_way()
    {
        var transcripts = Transcript.Names.Select(Transcript.Load).ToArray();
        var first = Setting("IMAPSYNC_FUZZ_SEED") ?? Seeds.Next();
        var count = Setting("IMAPSYNC_FUZZ_SEED") is null ? Setting("IMAPSYNC_FUZZ_ITERATIONS") ?? Iterations : 1;
        await Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = TestContext.Current.CancellationToken },
            async (i, _) => await PlayAsync(transcripts, unchecked(first + i)));
    }

    [Fact]
    public async Task Damaged_conversations_leave_no_memory_behind()
    {
        var transcripts = Transcript.Names.Select(Transcript.Load).ToArray();
        var seed = Seeds.Next();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 200; i++)
            await PlayAsync(transcripts, unchecked(seed + i));
        var kept = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(kept < 32 << 20, $"200 conversations from seed {seed} on left {kept} octets");
    }

    private static async Task PlayAsync(Transcript[] transcripts, int seed)
    {
        var random = new Random(seed);
        var transcript = transcripts[random.Next(transcripts.Length)];
        var other = transcripts[random.Next(transcripts.Length)].Turns.SelectMany(t => t.Server).ToArray();
        var turns = Damage(transcript, other, random);
        await using var stream = new ScriptedStream(turns, new Delivery(IsDamaged: true, AtOnce: random.Next(4) == 0 ? 1 + random.Next(20) : int.MaxValue));
        await using var client = new TranscriptClient(new ImapClientOptions("mail.example.com", 143, transcript.NeedsTls ? ImapTls.StartTls : ImapTls.None)
        {
            Limits = Limits,
            Dial = _ => ValueTask.FromResult<Stream>(stream),
        });
        Exception? failure;
        try
        {
            await client.RunAsync(transcript.Calls, TestContext.Current.CancellationToken).WaitAsync(RetryPolicy, TestContext.Current.CancellationToken);
            failure = client.Undocumented;
        }
        catch (TimeoutException e)
        {
            failure = e;
        }

        Assert.True(failure is null, $"seed {seed}, {transcript.Name}: {failure}\nthe server said:\n{Text(turns)}\nthe client:\n{string.Join('\n', client.Log)}");
    }

    private static Turn[] Damage(Transcript transcript, byte[] other, Random random)
    {
        Turn[] turns = [.. transcript.Turns];
        for (var times = 1 + random.Next(2); times > 0; times--)
        {
            var at = random.Next(turns.Length);
            turns[at] = turns[at] with { Server = Mutation.Apply(turns[at].Server, other, random) };
        }

        return turns;
    }

    private static string Text(Turn[] turns) => string.Join(
        "\n-- after as many lines as in the transcript --\n",
        turns.Select(t => Transcript.Escape(Encoding.Latin1.GetString(t.Server)).Replace("\\x0D\\x0A", "\n", StringComparison.Ordinal)));

    private static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : null;
}
