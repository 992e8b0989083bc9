using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Serving;

/// <summary>
/// Searches of a folder with an unreadable message. Neither a key nor its NOT finds this message, because a match is unknown.
/// </summary>
public sealed class UnreadableSearchTests
{
    private const int Messages = 7;
    private const int Gone = 4;

    [Fact]
    public async Task Keys_of_any_kind_put_together_anyhow_find_what_fits_for_certain_and_count_what_is_not_known()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        using var dir = new TempDir();
        var mailbox = new MaildirWriter(dir["backup"]);
        for (var i = 1; i <= Messages; i++)
            mailbox.Add("INBOX", Encoding.ASCII.GetBytes($"Subject: subject{i}\nDate: Mon, {i:00} Jan 2024 12:00:00 +0000\n\nbody{i}\n"), MailGenerator.Date(i), i % 2 == 0 ? "S" : "");
        await using var served = await ServedBackup.StartAsync(new MaildirEndpoint(dir["backup"]), dir["memory"]);
        await using var client = await served.ConnectAsync();
        await client.OkAsync("EXAMINE INBOX");
        File.Delete(Directory.EnumerateFiles(dir["backup"], "*", SearchOption.AllDirectories).Single(f => File.ReadAllText(f).Contains($"subject{Gone}\n", StringComparison.Ordinal)));

        for (var i = 0; i < 400; i++)
        {
            var (text, fits) = Key(random, depth: 4);
            var answer = await client.OkAsync("SEARCH " + text);
            var all = Enumerable.Range(1, Messages).ToList();
            Assert.True(answer[0] == string.Concat(all.Where(m => fits(m) == true).Select(m => $" {m}").Prepend("* SEARCH")), $"{text}, seed {seed}: {answer[0]}");
            var unknown = all.Count(m => fits(m) is null);
            Assert.True(unknown == 0 ? answer.Count == 1 : answer[1].StartsWith("* NO ", StringComparison.Ordinal) && answer[1].EndsWith($": {unknown}", StringComparison.Ordinal), $"{text}, seed {seed}: {string.Join(" | ", answer)}");
        }
    }

    /// <summary>Returns a random search key and a function that tells whether a message matches, or null if that can't be known.</summary>
    private static (string Text, Func<int, bool?> Fits) Key(Random random, int depth)
    {
        var one = random.Next(1, Messages + 1);
        switch (random.Next(depth > 0 ? 11 : 8))
        {
            case 0:
                return ($"SUBJECT subject{one}", Read(m => m == one));
            case 1:
                return ($"BODY body{one}", Read(m => m == one));
            case 2:
                return ($"TEXT body{one}", Read(m => m == one));
            case 3:
                return ("LARGER 10", Read(_ => true));
            case 4:
                return ($"SENTBEFORE {one}-Jan-2024", Read(m => m < one));
            case 5:
                return ("SINCE 1-Jan-1990", Read(_ => true));
            case 6:
                return ($"{one}:*", m => m >= one);
            case 7:
                return ("SEEN", m => m % 2 == 0);
            case 8:
                var negated = Key(random, depth - 1);
                return ($"NOT {negated.Text}", m => !negated.Fits(m));
            case 9:
                var (a, b) = (Key(random, depth - 1), Key(random, depth - 1));
                return ($"OR {a.Text} {b.Text}", m => a.Fits(m) | b.Fits(m));
            default:
                var (c, d) = (Key(random, depth - 1), Key(random, depth - 1));
                return ($"({c.Text} {d.Text})", m => c.Fits(m) & d.Fits(m));
        }

        static Func<int, bool?> Read(Func<int, bool> fits) => m => m == Gone ? null : fits(m);
    }
}
