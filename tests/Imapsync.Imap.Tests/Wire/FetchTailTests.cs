using System.Text;
using Imapsync.Imap.Tests.Connection;
using Imapsync.Imap.Wire;
using Imapsync.Tests.Support;

namespace Imapsync.Imap.Tests.Wire;

public sealed class FetchTailTests
{
    [Theory]
    [InlineData(")")]
    [InlineData(" )")]
    [InlineData(" UID 7)")]
    [InlineData(" uid 7 flags (\\Seen $x) MODSEQ (12))")]
    [InlineData(" X-UNKNOWN (a (b {c)) UID 7) ")]
    [InlineData(" BODY[HEADER] \"a ) b\" UID 7)")]
    [InlineData(" BODY[HEADER] NIL)")]
    [InlineData(" UID 7 BODY[HEADER] {3}")]
    public void The_rest_of_a_reply_is_one(string rest) => Assert.True(FetchTail.IsPlausible(Encoding.Latin1.GetBytes(rest + "\r\n")));

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("lo)")]
    [InlineData("\t)")]
    [InlineData(" and so on)")]
    [InlineData(" see you (soon)")]
    [InlineData(")) and more")]
    [InlineData(") (the end)")]
    [InlineData(" UID")]
    [InlineData(" UID 7")]
    [InlineData("CH (UID 8 FLAGS ())")]
    [InlineData(" FETCH (UID 8 FLAGS ())")]
    [InlineData(" OK Fetch completed")]
    [InlineData(" BODY[] {3}")]
    [InlineData(" FLAGS () UID 8 body[] {3}")]
    public void What_a_mail_or_another_reply_goes_on_with_is_none(string rest) => Assert.False(FetchTail.IsPlausible(Encoding.Latin1.GetBytes(rest + "\r\n")));

    /// <summary>
    /// A server announces a wrong length for one of three messages. No message may be returned with other octets than its own.
    /// </summary>
    [Fact]
    public async Task A_body_of_another_length_than_announced_is_never_given_as_whole()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 300; round++)
        {
            var bodies = Enumerable.Range(0, 3).Select(n => Body(random, n)).ToArray();
            var wrong = random.Next(3);
            var off = random.Next(1, 80) * (random.Next(2) == 0 ? -1 : 1);
            var announced = Math.Max(0, bodies[wrong].Length + off);
            if (announced == bodies[wrong].Length)
                continue;
            var replies = bodies.Select((body, n) =>
            {
                var length = n == wrong ? announced : body.Length;
                return $"* {n + 1} FETCH (UID {n + 1} BODY[] {{{length}}}\r\n{body})\r\n";
            });
            await using var session = await Session.OpenAsync(segment: random.Next(1, 200));
            await using var feed = new BodyFeed();
            await session.Client.StartFetchAsync(new UidSet([new Uid(1), new Uid(2), new Uid(3)]), "", feed, Session.Token);
            await session.Server.ReadLineAsync(Session.Token);
            await session.Server.SendAsync(string.Concat(replies) + "A2 OK done\r\nA1 OK done\r\n* BYE\r\n", Session.Token);
            await session.Server.DisposeAsync();
            try
            {
                while (await feed.NextAsync(Session.Token) is FetchedBody body)
                {
                    var octets = new MemoryStream();
                    await body.Body.CopyToAsync(octets, Session.Token);
                    var text = Encoding.Latin1.GetString(octets.ToArray());
                    Assert.True(bodies[(int)body.Uid.Value - 1] == text, $"seed {seed}, round {round}: UID {body.Uid} came as «{text}»");
                }

                Assert.Fail($"seed {seed}, round {round}: the session went on");
            }
            catch (Exception e) when (e is ImapProtocolException or ImapConnectionException)
            {
                Assert.True(session.Client.IsBroken);
            }
        }
    }

    private static string Body(Random random, int n)
    {
        string[] words = ["to", "see", "below", "now", "12", "OK", "* 3 FETCH", "\r\n", "\"x\"", "flags"];
        return $"Subject: {n}\r\n\r\n" + string.Join(' ', Enumerable.Range(0, random.Next(20, 60)).Select(_ => words[random.Next(words.Length)])) + "\r\n";
    }
}
