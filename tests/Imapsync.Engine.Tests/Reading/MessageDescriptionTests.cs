using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Reading;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Reading;

public sealed class MessageDescriptionTests
{
    [Theory]
    [InlineData("Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n aus Rom\r\nFrom: =?iso-8859-1?Q?J=F6rg?= <j@x.example>, b@x.example\r\nDate: Sat, 28 Nov 2026 23:30:00 -0500\r\n\r\n", "\"Grüße aus Rom\" from Jörg, 2026-11-28")]
    [InlineData("From: =?utf-8?Q?M=C3=BCller=2C_J?= <m@x.example>\r\n\r\n", "from Müller, J")]
    [InlineData("From: friends: a@x.example, b@x.example;\r\n\r\n", "from friends")]
    [InlineData("From: only@x.example\r\n\r\n", "from only@x.example")]
    [InlineData("Subject: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?=\r\n\r\n", "\"日本\"")]
    [InlineData("Subject: =?windows-1251?B?z/Do4uXy?=\r\n\r\n", "\"Привет\"")]
    [InlineData("subject: a\r\n\r\n", "\"a\"")]
    [InlineData("Date: yesterday\r\nX: y\r\n\r\n", "")]
    [InlineData("", "")]
    public void A_header_is_told_as_its_owner_knows_it(string header, string expected) =>
        Assert.Equal(expected, MessageDescription.Of(Encoding.Latin1.GetBytes(header))?.ToString() ?? "");

    [Fact]
    public void Whatever_the_octets_are_there_is_a_description_and_it_is_short()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        string[] parts = ["Subject:", "From:", "Date:", " ", "\r\n", "\n", "\0", "=?utf-8?B?", "?=", "<", ">", "(", "\"", ",", ":", "é", new string('x', 300)];
        for (var round = 0; round < 500; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 25)).Select(_ => parts[random.Next(parts.Length)]));
            Assert.InRange((MessageDescription.Of(Encoding.Latin1.GetBytes(text))?.ToString() ?? "").Length, 0, 250);
        }
    }

    [Fact]
    public async Task What_verification_misses_is_told_by_its_subject()
    {
        using var box = new MailboxFixture();
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("lost"));
        var report = await box.VerifyAsync(new VerifyOptions());
        Assert.StartsWith("\"lost\" from a@example.org: ", Assert.Single(report.Findings).Text, StringComparison.Ordinal);
    }
}
