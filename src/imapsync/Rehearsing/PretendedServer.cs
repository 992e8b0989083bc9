using System.IO.Pipelines;
using System.Text;
using Imapsync.Engine.Mail;

namespace Imapsync.CommandLine.Rehearsing;

/// <summary>
/// The client's end of a connection to an IMAP server that has one folder, and answers what a run with nothing new asks.
/// Its only client writes whole lines.
/// </summary>
internal sealed class PretendedServer : Stream
{
    private const string Capabilities =
        "CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN NAMESPACE UIDPLUS LIST-EXTENDED LIST-STATUS SPECIAL-USE ESEARCH CONDSTORE QRESYNC MOVE MULTIAPPEND LITERAL+";

    private readonly Pipe answers = new();
    private readonly Stream heard;
    private readonly string inbox;

    private PretendedServer(FolderStatus status)
    {
        heard = answers.Reader.AsStream();
        inbox = "* LIST (\\Subscribed \\HasNoChildren) \"/\" INBOX\r\n"
            + $"* STATUS INBOX (MESSAGES {status.Messages} UIDNEXT {status.UidNext} UIDVALIDITY {status.UidValidity} UNSEEN {status.Unseen} HIGHESTMODSEQ {status.HighestModSeq})\r\n";
    }

    /// <param name="status">The folder's.</param>
    public static async ValueTask<Stream> ConnectAsync(FolderStatus status)
    {
        var server = new PretendedServer(status);
        await server.SayAsync($"* OK [{Capabilities}] ready\r\n");
        return server;
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
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

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        answers.Writer.Complete();
        base.Dispose(disposing);
    }

    private async ValueTask SayAsync(string text) => await answers.Writer.WriteAsync(Encoding.ASCII.GetBytes(text));
}
