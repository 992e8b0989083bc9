using System.Collections.Immutable;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Maildir;
using Imapsync.Imap;

namespace Imapsync.Fuzz.Tests.Targets;

/// <summary>Targets for the contents of a Maildir tree: names, <c>dovecot-uidlist</c>, <c>dovecot-keywords</c>, <c>subscriptions</c>.</summary>
internal static class MaildirTargets
{
    private static readonly ImmutableArray<string?> Slots = ["$Label1", null, "Work", "Ä"];

    public static FuzzTarget[] All { get; } =
    [
        new("maildir-names", Names, FuzzTarget.Texts("1721184265.M1P2.host,S=1234,W=1250:2,FSab", "1.a.b,S=3,W=3,L=1:2,", "x;2,S", "x!1,e", "&AC4-a&U,BTFw-b", "INBOX"))
        {
            Words = FuzzTarget.Texts(":2,", ":1,", ";2,", "!2,", ",S=", ",W=", ",L=1", "a", "z", "P", ",", "~0123456789abcdef", "&AC4-", ".", "..", "/", "99999999999999999999"),
            Weight = 2, BytesPerOctet = 2000,
        },
        new("uidlist", UidLists, FuzzTarget.Texts(
            "3 V1721184265 N4 G0123456789abcdef0123456789abcdef\n1 :1.a.b,S=3\n2 W5 S4 :2.a.b:2,S\n3 :3.a.b\n", "3 V1 N1\n", "1 1721184265 3\n1 a\n"))
        {
            Words = FuzzTarget.Texts("\n", " :", "3 V", " N", "4294967295 :x\n", "4294967294 :y\n", "0 :z\n", "V0", "N0"), Weight = 0.5,
        },
        new("keywords", Keywords, FuzzTarget.Texts("0 $Label1\n1 Work\n25 Last\n", "3 a b\n", "")) { Words = FuzzTarget.Texts("\n", " ", "26 x\n", "-1 x\n", "\r", "0"), Weight = 0.5 },
        new("subscriptions", Subscriptions, FuzzTarget.Texts("V\t2\n\nINBOX\nLists\tdebian\n&U,BTFw-\n", "INBOX\n.a.b\n")) { Words = FuzzTarget.Texts("V\t2\n", "\t", "\n", ".", "/", "&-", "&"), Weight = 0.5, BytesPerOctet = 10_000 },
    ];

    private static void Names(byte[] octets)
    {
        var name = Encoding.UTF8.GetString(octets);
        var start = MaildirName.InfoStart(name);
        Assert.InRange(start, 0, name.Length);
        var unique = name.AsSpan(0, start);
        _ = MaildirName.IsVerbatim(unique);
        _ = MaildirName.SizeWithCrlf(unique, octets.Length);
        var flags = MaildirInfo.Flags(name.AsSpan(start), Slots);
        Assert.Equal(flags, MaildirInfo.Flags(MaildirInfo.Compose(name.AsSpan(start), flags, Slots), Slots));

        var level = FolderNaming.Decode(name);
        if (level.Length == 0)
            return;
        var encoded = FolderNaming.Encode(level, '.', '/', '~');
        Assert.DoesNotContain('/', encoded);
        Assert.True(FolderNaming.Fit(encoded, new FolderPath(level)).Length <= 255);
    }

    private static void UidLists(byte[] octets)
    {
        var directory = Path.GetDirectoryName(Scratch.Write("uidlist", "dovecot-uidlist", octets))!;
        var list = new UidList(directory, TimeProvider.System);
        list.ReadEnds();
        list = new UidList(directory, TimeProvider.System);
        list.ReadAll();
        Assert.True(list.Next > Uid.None && list.Uids.Count <= octets.Length);
        Assert.DoesNotContain(Enumerable.Range(0, list.Uids.Count).Select(list.Uids.UidAt), u => u >= list.Next.Value);
    }

    private static void Keywords(byte[] octets)
    {
        var keywords = new MaildirKeywords(Path.GetDirectoryName(Scratch.Write("keywords", "dovecot-keywords", octets))!, TimeProvider.System);
        keywords.Refresh();
        Assert.True(keywords.Slots.Length <= MaildirKeywords.MaxKeywords);
    }

    private static void Subscriptions(byte[] octets)
    {
        var directory = Path.GetDirectoryName(Scratch.Write("subscriptions", "subscriptions", octets))!;
        foreach (var layout in (MaildirLayout[])[MaildirLayout.MaildirPlusPlus, MaildirLayout.Fs])
        {
            var tree = MaildirTree.Of(new MaildirEndpoint(directory) { Layout = layout });
            foreach (var path in new MaildirSubscriptions(tree, TimeProvider.System).Read().Where(p => p.Levels.Length < 100))
                Assert.StartsWith(directory, Path.GetFullPath(tree.DirectoryOf(path)), StringComparison.Ordinal);
        }
    }
}
