using System.IO.Pipelines;
using System.Text;

namespace Imapsync.Imap.Connection;

/// <summary>
/// The client's end of a connection to an IMAP server that has one folder, and answers what a run with nothing new asks.
/// Its only client writes whole lines. For rehearsals: what a session needs is loaded and compiled by it.
/// </summary>
public sealed class PretendedServer : DuplexStream
{
    private const string Capabilities =
        "CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN NAMESPACE UIDPLUS LIST-EXTENDED LIST-STATUS SPECIAL-USE ESEARCH CONDSTORE QRESYNC MOVE MULTIAPPEND LITERAL+";

    private readonly Pipe answers = new();
    private readonly Stream heard;
    private readonly string inbox;

    private PretendedServer(FolderCounters status)
    {
        heard = answers.Reader.AsStream();
        inbox = "* LIST (\\Subscribed \\HasNoChildren) \"/\" INBOX\r\n"
            + $"* STATUS INBOX (MESSAGES {status.Messages} UIDNEXT {status.UidNext} UIDVALIDITY {status.UidValidity} UNSEEN {status.Unseen} HIGHESTMODSEQ {status.HighestModSeq})\r\n";
    }

    /// <param name="status">The folder's.</param>
    public static async ValueTask<Stream> ConnectAsync(FolderCounters status)
    {
        var server = new PretendedServer(status);
        await server.SayAsync($"* OK [{Capabilities}] ready\r\n");
        return server;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        foreach (var line in Encoding.ASCII.GetString(buffer.Span).Split("\r\n", StringSplitOptions.RemoveEmptyEntries))
        {
            var (tag, command) = (line.Split(' ')[0], line.Split(' ')[1]);
            var (untagged, code) = command switch
            {
                "AUTHENTICATE" => ("", $"[{Capabilities}] "),
                "NAMESPACE" => ("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n", ""),
                "LIST" => (inbox, ""),
                "LOGOUT" => ("* BYE logging out\r\n", ""),
                _ => ("", ""),
            };
            await SayAsync($"{untagged}{tag} OK {code}done\r\n");
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => heard.ReadAsync(buffer, cancellationToken);

    protected override void Dispose(bool disposing)
    {
        answers.Writer.Complete();
        base.Dispose(disposing);
    }

    private async ValueTask SayAsync(string text) => await answers.Writer.WriteAsync(Encoding.ASCII.GetBytes(text));
}
