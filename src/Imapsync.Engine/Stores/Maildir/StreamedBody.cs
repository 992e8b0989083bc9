using System.Buffers;
using Imapsync.Engine.Stores.LineEnds;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>
/// Writes a body of any size in parts, in the forms of <see cref="BodyFile"/>. It begins with LF line ends. At the first line end that
/// could not be restored, it converts the written part back to CRLF and writes the rest unchanged.
/// </summary>
internal sealed class StreamedBody(string path) : IAsyncDisposable
{
    private const int BufferBytes = 128 * 1024;
    private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes + 1);
    private FileStream file = new(path, LocalFiles.CreateNew);
    private LineEndScanner lineEnds;
    private CrlfToLf convert;
    private bool isLf = true;

    public async ValueTask AppendAsync(ReadOnlyMemory<byte> piece, CancellationToken cancellationToken)
    {
        lineEnds.Scan(piece.Span);
        if (isLf && !lineEnds.SurvivesLf)
            await GoBackToCrlfAsync(cancellationToken);
        if (!isLf)
        {
            await file.WriteAsync(piece, cancellationToken);
            return;
        }

        while (!piece.IsEmpty)
        {
            var part = piece[..Math.Min(BufferBytes, piece.Length)];
            await file.WriteAsync(buffer.AsMemory(0, convert.Convert(part.Span, buffer)), cancellationToken);
            piece = piece[part.Length..];
        }
    }

    public async ValueTask<WrittenBody> FinishAsync(DateTimeOffset date, CancellationToken cancellationToken)
    {
        if (isLf)
            await file.WriteAsync(buffer.AsMemory(0, convert.Finish(buffer)), cancellationToken);
        BodyFile.SetDate(file.SafeFileHandle, date);
        return new WrittenBody(file.Length, lineEnds.OctetsWithCrlf, lineEnds.BareLf > 0);
    }

    public async ValueTask DisposeAsync()
    {
        ArrayPool<byte>.Shared.Return(buffer);
        await file.DisposeAsync();
    }

    /// <summary>Replaces the file by one with CRLF line ends. Each LF written so far was a CRLF in the body.</summary>
    private async Task GoBackToCrlfAsync(CancellationToken cancellationToken)
    {
        isLf = false;
        var held = convert.Finish(buffer);
        var written = file;
        written.Position = 0;
        File.Delete(path);
        file = new FileStream(path, LocalFiles.CreateNew);
        await using var crlf = new CrlfStream(written);
        await crlf.CopyToAsync(file, BufferBytes, cancellationToken);
        await file.WriteAsync(buffer.AsMemory(0, held), cancellationToken);
    }
}
