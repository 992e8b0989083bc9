using MimeKit;

namespace Imapsync.Bench.Contenders;

/// <summary>
/// A message body that is written exactly as received, without parsing its MIME parts. MimeKit supports such a class.
/// </summary>
internal sealed class OctetEntity : MimeEntity
{
    private readonly ReadOnlyMemory<byte> octets;

    private OctetEntity(ReadOnlyMemory<byte> octets)
        : base("application", "octet-stream")
    {
        this.octets = octets;
        // MimeKit has added default content fields. Remove them, because the message's own header has such fields.
        Headers.Clear();
    }

    /// <summary>
    /// Creates a message whose octets MimeKit does not change: the header is parsed, the body is not. Null if
    /// no empty line ends the header.
    /// </summary>
    public static MimeMessage? TryRead(byte[] message)
    {
        var end = message.AsSpan().IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return null;
        var parser = new MimeParser(new MemoryStream(message, 0, end + 4), MimeFormat.Entity);
        var headers = parser.ParseHeaders();
        var made = new MimeMessage { Body = new OctetEntity(message.AsMemory(end + 4)) };
        made.Headers.Clear();
        foreach (var header in headers)
            made.Headers.Add(header);
        return made;
    }

    public override void Accept(MimeVisitor visitor) => throw new NotSupportedException();

    public override void Prepare(EncodingConstraint constraint, int maxLineLength = 78)
    {
    }

    public override void WriteTo(FormatOptions options, Stream stream, bool contentOnly, CancellationToken cancellationToken = default) =>
        stream.Write(octets.Span);

    public override async Task WriteToAsync(FormatOptions options, Stream stream, bool contentOnly, CancellationToken cancellationToken = default) =>
        await stream.WriteAsync(octets, cancellationToken);
}
