namespace Imapsync.Imap.Tests.Transcripts;

/// <summary>
/// Plays real servers' conversations from tests/Transcripts to the client: whole, in single octets, and cut off at any position.
/// </summary>
public sealed class TranscriptTests
{
    // The most positions at which one transcript is cut; in longer transcripts only every n-th position is.
    private const int MaxCuts = 1500;

    public static TheoryData<string> Names => [.. Transcript.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_client_makes_of_it_what_is_written(string name)
    {
        var transcript = Transcript.Load(name);
        AssertLog(transcript.Expected, await PlayAsync(transcript, new Delivery()));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Octet_by_octet_it_means_the_same(string name)
    {
        var transcript = Transcript.Load(name);
        AssertLog(transcript.Expected, await PlayAsync(transcript, new Delivery(AtOnce: 1)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Cut_anywhere_it_ends_with_a_documented_exception(string name)
    {
        var transcript = Transcript.Load(name);
        var step = Math.Max(1, transcript.ServerOctets / MaxCuts);
        for (long cut = 0; cut < transcript.ServerOctets; cut += step)
            await PlayAsync(transcript, new Delivery(cut));
    }

    internal static async Task<List<string>> PlayAsync(Transcript transcript, Delivery delivery)
    {
        await using var stream = new ScriptedStream(transcript.Turns, delivery, transcript.IsOpenEnded);
        var options = new ImapClientOptions("mail.example.com", 143, transcript.NeedsTls ? ImapTls.StartTls : ImapTls.None)
        {
            Dial = _ => ValueTask.FromResult<Stream>(stream),
        };
        await using var client = new TranscriptClient(options);
        var playing = client.RunAsync(transcript.Calls, TestContext.Current.CancellationToken);
        try
        {
            await playing.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"{transcript.Name} hangs with {delivery}:\n{string.Join('\n', client.Log)}");
        }

        Assert.True(stream.Deviation is null, $"{transcript.Name} with {delivery}: {stream.Deviation}\n{string.Join('\n', client.Log)}");
        Assert.True(client.Undocumented is null, $"{transcript.Name} with {delivery}: {client.Undocumented}");
        return client.Log;
    }

    /// <summary>Compares a log with the expected one. There, "broken" stands for either exception that ends a connection.</summary>
    private static void AssertLog(IReadOnlyList<string> expected, List<string> actual)
    {
        var settled = actual.Select((line, i) => i < expected.Count && expected[i] == "= broken"
            && (line == "= ImapProtocolException" || line.StartsWith("= ImapConnectionException", StringComparison.Ordinal)) ? "= broken" : line);
        Assert.Equal(string.Join('\n', expected), string.Join('\n', settled));
    }
}
