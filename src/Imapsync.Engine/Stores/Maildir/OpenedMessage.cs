using System.Buffers;
using System.IO.Pipelines;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.LineEnds;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>
/// A message's file while it is read. Its octets are always counted, because the length in the file's name may be wrong and a target would
/// refuse the message.
/// </summary>
internal sealed class OpenedMessage(FileStream file, string fileName, string uniqueName) : IAsyncDisposable
{
    private readonly bool isVerbatim = MaildirName.IsVerbatim(uniqueName);
    private byte[]? onDisk;
    private byte[]? octets;
    private PipeReader? body;

    public async ValueTask<IncomingMessage> ReadAsync(MessageInfo info, int smallBytes, CancellationToken cancellationToken)
    {
        try
        {
            if (PackedFile.IsGzip(file, uniqueName))
            {
                var unpacked = PackedFile.OctetsWithCrlf(file, uniqueName);
                body = PipeReader.Create(new CrlfStream(PackedFile.Unpack(file)), new StreamPipeReaderOptions(bufferSize: 64 * 1024));
                return new IncomingMessage(info, unpacked, body);
            }

            if (file.Length <= smallBytes)
                return await ReadSmallAsync(info, cancellationToken);
            var length = isVerbatim ? file.Length : LineEndCount.OctetsWithCrlf(file);
            file.Position = 0;
            body = PipeReader.Create(isVerbatim ? file : new CrlfStream(file), new StreamPipeReaderOptions(bufferSize: 64 * 1024));
            return new IncomingMessage(info, length, body);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            return new IncomingMessage(info, LocalFiles.Failure(e, FailureScope.Message, fileName));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (body is not null)
            await body.CompleteAsync();
        if (onDisk is not null)
            ArrayPool<byte>.Shared.Return(onDisk);
        if (octets is not null)
            ArrayPool<byte>.Shared.Return(octets);
        await file.DisposeAsync();
    }

    private async ValueTask<IncomingMessage> ReadSmallAsync(MessageInfo info, CancellationToken cancellationToken)
    {
        var onDiskLength = (int)file.Length;
        onDisk = ArrayPool<byte>.Shared.Rent(onDiskLength);
        onDiskLength = await file.ReadAtLeastAsync(onDisk.AsMemory(0, onDiskLength), onDiskLength, throwOnEndOfStream: false, cancellationToken);
        if (isVerbatim)
            return Whole(info, onDisk.AsMemory(0, onDiskLength));
        octets = ArrayPool<byte>.Shared.Rent(onDiskLength * 2);
        default(LfToCrlf).Convert(onDisk.AsSpan(0, onDiskLength), octets, out _, out var length);
        return Whole(info, octets.AsMemory(0, length));
    }

    private static IncomingMessage Whole(MessageInfo info, ReadOnlyMemory<byte> octets) =>
        new(info, octets.Length, PipeReader.Create(new ReadOnlySequence<byte>(octets)));
}
