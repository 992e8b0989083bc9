using System.Globalization;
using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Serving;

/// <summary>Measures the memory and time for reading a big folder of a served Maildir. docs/serve.md states the results.</summary>
public sealed class BigServedFolderTests
{
    private static readonly int Messages = int.TryParse(Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_SERVED"), CultureInfo.InvariantCulture, out var given) ? given : 4000;

    /// <summary>The maximum memory in MiB of the program itself, in an ordinary build (not native).</summary>
    private const int MostMiB = 200;

    /// <summary>
    /// The maximum memory in bytes per message. A session's list takes 31; the rest is for file names and spare capacity.
    /// </summary>
    private const int MostBytesEach = 1500;

    [Fact]
    public async Task Fetching_and_searching_all_of_it_stays_within_bounds()
    {
        using var dir = new TempDir();
        var mailbox = new MaildirWriter(dir["backup"]);
        var octets = 0L;
        for (var i = 0; i < Messages; i++)
        {
            var message = MailGenerator.Message(i);
            octets += message.Length;
            mailbox.Add("INBOX", message, MailGenerator.Date(i), i % 2 == 0 ? "S" : "");
        }

        await using var process = ImapsyncProcess.Start(
            dir.Create("home"), ["serve", "maildir:" + dir["backup"], "--port", "0", "--port-file", dir["port"], "--password-env", "SERVED"], new Dictionary<string, string> { ["SERVED"] = "a password of mine" });
        await process.SeesErrorAsync("Ctrl-C");
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        while (!File.Exists(dir["port"]))
            await timer.WaitForNextTickAsync();
        var client = await RawImap.ConnectAsync(int.Parse(await File.ReadAllTextAsync(dir["port"], TestContext.Current.CancellationToken), CultureInfo.InvariantCulture), "backup", "a password of mine");
        await using var open = client;

        var output = TestContext.Current.TestOutputHelper;
        output?.WriteLine($"{Messages} messages, {octets >> 20} MiB; before anything {PeakMiB(process)} MiB");
        foreach (var (command, least) in ((string, long)[])
        [
            ("EXAMINE INBOX", 100),
            ("FETCH 1:* (UID FLAGS)", Messages * 20L),
            ("FETCH 1:* (UID INTERNALDATE RFC822.SIZE)", Messages * 40L),
            ("FETCH 1:* (ENVELOPE)", Messages * 100L),
            ("FETCH 1:* (BODYSTRUCTURE)", Messages * 50L),
            ("SEARCH UNSEEN SINCE 1-Jan-2000", Messages),
            ("SEARCH SUBJECT nowhere-to-be-found", 10),
            ("SEARCH NOT TEXT nowhere-to-be-found", Messages * 2L),
            ("FETCH 1:* (BODY.PEEK[])", octets),
        ])
        {
            var began = TimeProvider.System.GetTimestamp();
            var answered = await DrainAsync(client.Line, command);
            output?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {command} | {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0.00} s | {answered / 1048576.0:0.0} MiB | {PeakMiB(process)} MiB |"));
            Assert.True(answered >= least, $"{command}: {answered} octets");
        }

        Assert.InRange(PeakMiB(process), 1, MostMiB + (Messages * (long)MostBytesEach >> 20));
    }

    /// <summary>Returns the peak memory of the process in MiB (VmHWM).</summary>
    private static long PeakMiB(ImapsyncProcess process) =>
        long.Parse(File.ReadLines($"/proc/{process.Id}/status").Single(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)).AsSpan(6).Trim().TrimEnd("kB "), CultureInfo.InvariantCulture) >> 10;

    /// <summary>Reads and discards a reply up to its tagged response, which must be OK.</summary>
    private static async Task<long> DrainAsync(Stream line, string command)
    {
        await line.WriteAsync(Encoding.ASCII.GetBytes($"drained {command}\r\n"));
        var (block, tail, count) = (new byte[256 << 10], "", 0L);
        while (!tail.Contains("\r\ndrained ", StringComparison.Ordinal) || !tail.EndsWith("\r\n", StringComparison.Ordinal))
        {
            var read = await line.ReadAsync(block);
            Assert.True(read > 0, $"the line ended within {command}");
            count += read;
            tail += Encoding.Latin1.GetString(block, Math.Max(0, read - 100), Math.Min(100, read));
            tail = tail[Math.Max(0, tail.Length - 100)..];
        }

        Assert.Contains("\r\ndrained OK", tail, StringComparison.Ordinal);
        return count;
    }
}
