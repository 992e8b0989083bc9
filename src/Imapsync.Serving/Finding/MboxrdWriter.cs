using System.Globalization;
using System.Text;

namespace Imapsync.Serving.Finding;

/// <summary>
/// Appends one message to an mbox file: its postmark (the "From " line), its lines with LF line ends and quoted From lines, and an empty line.
/// </summary>
internal sealed class MboxrdWriter : IDisposable
{
    private readonly Stream file;
    private readonly MemoryStream pending = new();
    private int quotes;
    private bool isAtStart = true;
    private int matched;
    private bool hasCr;

    public MboxrdWriter(Stream file, DateTimeOffset date)
    {
        this.file = file;
        var utc = date.UtcDateTime;
        pending.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"From MAILER-DAEMON {utc:ddd MMM} {utc.Day,2} {utc:HH:mm:ss yyyy}\n")));
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> piece, CancellationToken cancellationToken)
    {
        Convert(piece.Span);
        await FlushAsync(cancellationToken);
    }

    public void Dispose() => pending.Dispose();

    public async ValueTask EndAsync(CancellationToken cancellationToken)
    {
        var isLineEnded = isAtStart && quotes == 0 && matched == 0 && !hasCr;
        Release();
        if (hasCr)
            pending.WriteByte((byte)'\r');
        pending.Write(isLineEnded ? "\n"u8 : "\n\n"u8);
        await FlushAsync(cancellationToken);
    }

    private void Convert(ReadOnlySpan<byte> piece)
    {
        foreach (var octet in piece)
        {
            if (isAtStart && matched == 0 && octet == '>')
            {
                quotes++;
                continue;
            }

            if (isAtStart && octet == "From "u8[matched])
            {
                if (++matched < 5)
                    continue;
                quotes++;
                Release();
                continue;
            }

            Release();
            if (hasCr && octet != '\n')
                pending.WriteByte((byte)'\r');
            hasCr = octet == '\r';
            if (!hasCr)
                pending.WriteByte(octet);
            if (octet == '\n')
                (isAtStart, quotes, matched) = (true, 0, 0);
        }
    }

    /// <summary>Writes the octets held back at the start of a line, once it is decided whether the line needs quoting.</summary>
    private void Release()
    {
        if (!isAtStart)
            return;
        for (; quotes > 0; quotes--)
            pending.WriteByte((byte)'>');
        pending.Write("From "u8[..matched]);
        (isAtStart, matched) = (false, 0);
    }

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        await file.WriteAsync(pending.GetBuffer().AsMemory(0, (int)pending.Length), cancellationToken);
        pending.SetLength(0);
    }
}
