using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Imap;
using Imapsync.Imap.Client;
using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Fuzz.Tests.Targets;

/// <summary>Fuzz targets that parse servers' replies as each IMAP command does, and folder names and message headers.</summary>
internal static class ReplyTargets
{
    private static readonly ImapLimits Limits = new() { MaxLineBytes = 4096, MaxInlineLiteralBytes = 4096, MaxFrameBytes = 16384 };

    private static readonly ImapCapabilities Offered = new(["CONDSTORE", "OBJECTID", "LIST-STATUS", "APPENDLIMIT"]);

    private static readonly byte[][] Headers = FuzzTarget.Texts(
        "Message-ID: <1@example.com>\r\nDate: Wed, 17 Jul 2024 02:44:25 +0200 (CEST)\r\nFrom: a\r\n b\r\nSubject: =?utf-8?q?x?=\r\n\r\n",
        "Received: from a by b; 17 Jul 2024 02:44:25 -0700\r\nmessage-id:\r\n\t<a b@c>\r\n\r\ntext",
        "no field\r\n: empty\r\nDate: never\r\nMessage-ID: <<>>\n\n");

    public static FuzzTarget[] All { get; } =
    [
        new("replies", Replies, TranscriptLines.All) { Grammar = ReplyGrammar.Make, BytesPerOctet = 4000, Weight = 2 },
        new("folder-names", Folders, [.. TranscriptLines.All.Where(l => l.AsSpan().IndexOf("LIST "u8) >= 0)]) { Grammar = ReplyGrammar.Make },
        new("headers", HeadersOfMessages, Headers) { Words = FuzzTarget.Texts("\r\n", "\n", "Date:", "Message-ID:", "Received:", ";", ":", " ", "<", ">", "(", "\0") },
    ];

    private static ImapCommand[] Commands(List<FetchedMessage> rows, List<FetchedLabels> labels) =>
    [
        new ListCommand(ListForm.Extended, "", "*", Offered, Limits), new StatusCommand("x", Offered), new SelectCommand("x", false, true, Limits),
        new FetchMetadataCommand("1:*", true, null, rows, () => 10, Limits), new FetchLabelsCommand("1:*", labels, () => 10, Limits),
        new FetchBodiesCommand(UidSet.Range(new Uid(1), new Uid(9)), "", new BodyFeed(), Limits), new NamespaceCommand(Limits), new IdCommand(Limits), new QuotaCommand("x", Limits),
        new GetAclCommand("x", Limits), new AppendCommand("x", AsyncEnumerable.Empty<OutgoingMessage>()), new StoreCommand("1", true, FlagSet.Empty),
    ];

    private static void Replies(byte[] octets)
    {
        var rows = new List<FetchedMessage>();
        var labels = new List<FetchedLabels>();
        var bodyAt = octets.AsSpan().IndexOf("}\r\n"u8) is >= 0 and var at && octets.Length % 2 == 0 ? at + 3 : -1;
        foreach (var command in Commands(rows, labels))
        {
            try
            {
                var response = ImapResponse.Parse(octets, bodyAt, Limits);
                if (response.Status is { } status)
                {
                    command.OnStatus(status);
                    command.OnTagged(status);
                }
                else if (response.Kind == ResponseKind.Data)
                {
                    command.OnUntagged(ref response);
                    _ = response.Is("CAPABILITY"u8) ? CapabilityList.Read(response.Arguments, Limits) : null;
                }
            }
            catch (ImapProtocolException)
            {
                // ImapProtocolException is documented for a reply that exceeds a limit, so it is no finding.
            }
        }

        Assert.True(rows.Count <= 1 && labels.Count <= 1);
    }

    private static void Folders(byte[] octets)
    {
        var list = new ListCommand(ListForm.Plain, "", "*", Offered, Limits);
        var names = new FolderNames([new ImapNamespace(NamespaceKind.Personal, "INBOX.", '.'), new ImapNamespace(NamespaceKind.Others, "~", '/')], '.', _ => { });
        try
        {
            var response = ImapResponse.Parse(octets, -1, Limits);
            if (response.Kind == ResponseKind.Data)
                list.OnUntagged(ref response);
        }
        catch (ImapProtocolException)
        {
            return;
        }

        foreach (var listed in list.Folders)
        {
            if (names.Learn(listed) is { } path)
                Assert.Equal(listed.WireName, names.Find(path), ignoreCase: path.IsInbox);
            _ = names.IsForeign(listed.WireName);
        }
    }

    private static void HeadersOfMessages(byte[] octets)
    {
        _ = MessageId.Of(octets);
        _ = MessageFingerprint.Of(new(new Uid(1), FlagSet.Empty), octets);
        _ = HeaderDate.Find(octets);
        var repaired = MessageRepairing.Apply(octets, MessageRepair.Sanitized | MessageRepair.FinalLineEnd, out _);
        Assert.Equal(Encoding.Latin1.GetString(repaired), Encoding.Latin1.GetString(MessageRepairing.Apply(repaired, MessageRepair.Sanitized | MessageRepair.FinalLineEnd, out _)));
    }
}
