using System.Buffers;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>A message that has been written completely under a temporary file name.</summary>
/// <param name="Length">The message's size in octets.</param>
/// <param name="Subject">The subject as a part of the final file name, see <see cref="MessageFileName.SubjectOf"/>; may be empty.</param>
internal readonly record struct WrittenMessage(MessageInfo Info, string TemporaryPath, long Length, string Subject);

/// <summary>
/// Writes a group of messages, octet for octet, into temporary files. <see cref="Dispose"/> deletes these files unless <see cref="HandOver"/>
/// was called.
/// </summary>
internal sealed class EmlDelivery(string directory, DeliveryNames names) : IDisposable
{
    private const int SmallBytes = 128 * 1024;

    /// <summary>How many octets at the beginning of a large message are searched for its subject.</summary>
    private const int BeginningBytes = 64 * 1024;

    private readonly List<WrittenMessage> written = [];
    private readonly List<string> temporary = [];

    public IReadOnlyList<WrittenMessage> Written => written;

    /// <summary>Writes a message. Returns false if the body does not have the announced length.</summary>
    public async ValueTask<bool> TakeAsync(IncomingMessage message, CancellationToken cancellationToken)
    {
        if (message.Length < 0)
            return false;
        if (message.Length > SmallBytes)
            return await TakeLargeAsync(message, cancellationToken);
        using var octets = message.TakeHeld() ?? await ReadAsync(message, cancellationToken);
        if (octets is null)
            return false;
        var whole = octets.Memory[..(int)message.Length];
        var path = NextPath();
        LocalFiles.Guard(FailureScope.Folder, directory, () =>
        {
            Posix.WriteNew(path, whole.Span, message.Info.InternalDate);
            return path;
        });
        written.Add(new WrittenMessage(message.Info, path, whole.Length, MessageFileName.SubjectOf(whole)));
        return true;
    }

    /// <summary>Call this when the files have been renamed to their final names, so that <see cref="Dispose"/> deletes nothing.</summary>
    public void HandOver() => temporary.Clear();

    public void Dispose() => LocalFiles.TryDelete(temporary);

    /// <summary>Reads the body into memory. Returns null if the body does not have the announced length.</summary>
    private static async ValueTask<IMemoryOwner<byte>?> ReadAsync(IncomingMessage message, CancellationToken cancellationToken)
    {
        var copy = MemoryPool<byte>.Shared.Rent(Math.Max(1, (int)message.Length));
        var isWhole = false;
        try
        {
            isWhole = await BodyReading.ReadExactlyAsync(message.Body, copy.Memory[..(int)message.Length], cancellationToken);
            return isWhole ? copy : null;
        }
        finally
        {
            if (!isWhole)
                copy.Dispose();
        }
    }

    /// <summary>
    /// Streams a large body into its file. An exception while reading the body is passed on unchanged, since the source caused it. An exception
    /// while writing the file becomes a failure of the target.
    /// </summary>
    private async ValueTask<bool> TakeLargeAsync(IncomingMessage message, CancellationToken cancellationToken)
    {
        var path = NextPath();
        await using var file = LocalFiles.Guard(FailureScope.Folder, directory, () => new FileStream(path, LocalFiles.CreateNew));
        var beginning = new MemoryStream();
        var isWhole = await BodyReading.ReadExactlyAsync(
            message.Body,
            message.Length,
            piece => LocalFiles.GuardAsync(directory, async () =>
            {
                if (beginning.Length < BeginningBytes)
                    beginning.Write(piece.Span[..Math.Min(piece.Length, BeginningBytes)]);
                await file.WriteAsync(piece, cancellationToken);
            }),
            cancellationToken);
        if (!isWhole)
            return false;
        LocalFiles.Guard(FailureScope.Folder, directory, () =>
        {
            if (message.Info.InternalDate != default)
                File.SetLastWriteTimeUtc(file.SafeFileHandle, message.Info.InternalDate.UtcDateTime);
            return path;
        });
        written.Add(new WrittenMessage(message.Info, path, message.Length, MessageFileName.SubjectOf(beginning.ToArray())));
        return true;
    }

    private string NextPath()
    {
        temporary.Add(Path.Combine(directory, names.Next()));
        return temporary[^1];
    }
}
