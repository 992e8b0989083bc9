using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.LineEnds;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>Reads messages in their original form: with CRLF line ends, or unchanged if the file's name is marked as verbatim.</summary>
internal sealed class MaildirMessageReader(string directory, MaildirIndex index)
{
    private const int SmallBytes = 256 * 1024;
    private const int MaxHeaderBytes = 1 << 20;
    private const int MaxRenames = 3;

    /// <summary>Returns size and date of a message's file. The size is -1 if the file can't be read. Null if the file is gone.</summary>
    public MessageInfo? Describe(MaildirMessage message)
    {
        for (var i = 0; i < MaxRenames; i++)
        {
            var file = new FileInfo(Path.Combine(directory, message.FileName));
            if (file.Exists || file.LinkTarget is not null)
            {
                var size = MaildirName.IsVerbatim(message.UniqueName) ? file.Length : MaildirName.SizeWithCrlf(message.UniqueName, file.Length);
                if (size >= 0 || TryCountWithCrlf(message, out size))
                    return new MessageInfo(new Uid(message.Uid), message.Info.Flags, new DateTimeOffset(file.LastWriteTimeUtc, TimeSpan.Zero), size);
            }

            if (!TryFindAgain(ref message))
                return null;
        }

        return null;
    }

    public async IAsyncEnumerable<IncomingMessage> ReadAsync(IEnumerable<MessageInfo> messages, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var info in messages)
        {
            if (!index.TryFind(info.Uid.Value, out var message))
                continue;
            FileStream? file = null;
            MailException? failure = null;
            try
            {
                file = Open(ref message);
            }
            catch (Exception e) when (FileErrors.Is(e))
            {
                failure = LocalFiles.Failure(e, FailureScope.Message, message.FileName);
            }

            if (failure is not null)
                yield return new IncomingMessage(info, failure);
            if (file is null)
                continue;
            await using var opened = new OpenedMessage(file, message.FileName, message.UniqueName);
            yield return await opened.ReadAsync(info, SmallBytes, cancellationToken);
        }
    }

    public async IAsyncEnumerable<MessageHeader> ReadHeadersAsync(
        IEnumerable<MaildirMessage> messages, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var message in messages)
        {
            if (await TryReadHeaderAsync(message, cancellationToken) is { } header)
                yield return new MessageHeader(new Uid(message.Uid), header);
        }
    }

    /// <summary>Returns null if the message is gone or can't be read. The reason is reported later, when the message is copied.</summary>
    private async Task<ReadOnlyMemory<byte>?> TryReadHeaderAsync(MaildirMessage message, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = Open(ref message);
            if (file is null)
                return null;
            Stream stored = PackedFile.IsGzip(file, message.UniqueName) ? PackedFile.Unpack(file) : file;
            await using var octets = MaildirName.IsVerbatim(message.UniqueName) ? stored : new CrlfStream(stored);
            return await ReadHeaderAsync(octets, cancellationToken);
        }
        catch (Exception e) when (e is InvalidDataException || FileErrors.Is(e))
        {
            return FileErrors.IsEverywhere(e) ? throw LocalFiles.Failure(e, FailureScope.Folder, message.FileName) : null;
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadHeaderAsync(Stream octets, CancellationToken cancellationToken)
    {
        var header = new byte[4 * 1024];
        var length = 0;
        while (true)
        {
            var read = await octets.ReadAsync(header.AsMemory(length), cancellationToken);
            var end = HeaderEnd.Find(header.AsSpan(0, length + read), Math.Max(0, length - 2));
            length += read;
            if (end >= 0 || read == 0 || length >= MaxHeaderBytes)
                return header.AsMemory(0, Math.Min(end >= 0 ? end : length, MaxHeaderBytes));

            // A CRLF needs two octets of free buffer.
            if (header.Length - length < 2)
                Array.Resize(ref header, Math.Min(header.Length * 4, MaxHeaderBytes + 2));
        }
    }

    /// <summary>Opens a message's file, also when it is being renamed. Null when it is gone.</summary>
    private FileStream? Open(ref MaildirMessage message)
    {
        for (var i = 0; i < MaxRenames; i++)
        {
            var path = Path.Combine(directory, message.FileName);
            try
            {
                return OrdinaryFile.OpenRead(path);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                if (!TryFindAgain(ref message))
                    return null;
            }
        }

        return null;
    }

    private bool TryFindAgain(ref MaildirMessage message)
    {
        index.Refresh(force: true);
        return index.TryFind(message.Uid, out message);
    }

    /// <returns>False when the file is gone.</returns>
    private bool TryCountWithCrlf(MaildirMessage message, out long size)
    {
        size = -1;
        try
        {
            using var file = Open(ref message);
            if (file is null)
                return false;
            size = PackedFile.IsGzip(file, message.UniqueName) ? PackedFile.OctetsWithCrlf(file, message.UniqueName) : LineEndCount.OctetsWithCrlf(file);
        }
        catch (Exception e) when (FileErrors.Is(e) && !FileErrors.IsEverywhere(e))
        {
            // A failure is ignored here; reading the message will report it.
        }

        return true;
    }
}
