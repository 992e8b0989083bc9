using System.Runtime.CompilerServices;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.MailFiles;

/// <summary>Reads messages that are each stored in a file.</summary>
internal static class FiledReading
{
    /// <summary>Returns a message's date and size. Where the file can't be read, the size is unknown.</summary>
    public static async Task<MessageInfo> DescribeAsync(Uid uid, FiledMessage message, CancellationToken cancellationToken)
    {
        try
        {
            if (message.Damage is null)
            {
                await using var reader = MailFileReader.Open(message);
                var date = message.Date ?? HeaderDate.FindArrival((await reader.HeaderAsync(cancellationToken)).Span) ?? new DateTimeOffset(File.GetLastWriteTimeUtc(message.File), TimeSpan.Zero);
                return new MessageInfo(uid, message.Flags, date, reader.Count());
            }
        }
        catch (Exception e) when (FileErrors.Is(e) && !FileErrors.IsEverywhere(e))
        {
            // A failure is ignored here; reading the message will report it.
        }

        return new MessageInfo(uid, message.Flags, message.Date ?? default);
    }

    /// <summary>Returns null when the header can't be read; the reason is reported when the message is copied.</summary>
    public static async Task<ReadOnlyMemory<byte>?> TryReadHeaderAsync(FiledMessage message, CancellationToken cancellationToken)
    {
        if (message.Damage is not null)
            return null;
        try
        {
            await using var reader = MailFileReader.Open(message);
            return await reader.HeaderAsync(cancellationToken);
        }
        catch (Exception e) when (FileErrors.Is(e) && !FileErrors.IsEverywhere(e))
        {
            return null;
        }
    }

    /// <param name="find">Returns a message; null where there is none of that UID.</param>
    public static async IAsyncEnumerable<IncomingMessage> ReadAsync(
        IEnumerable<MessageInfo> messages, Func<Uid, FiledMessage?> find, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var info in messages)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (find(info.Uid) is not { } message)
                continue;
            MailFileReader? reader = null;
            var length = 0L;
            var failure = message.Damage is { } damage ? new MailException(FailureScope.Message, isTransient: false, $"{message.File}: {damage}") : null;
            try
            {
                if (failure is null)
                {
                    reader = MailFileReader.Open(message);
                    length = reader.Count();
                }
            }
            catch (FileNotFoundException)
            {
                // The file vanished after the listing.
                continue;
            }
            catch (Exception e) when (FileErrors.Is(e))
            {
                failure = LocalFiles.Failure(e, FailureScope.Message, message.File);
            }

            if (failure is null && length == 0 && !message.IsVerbatim)
                failure = new MailException(FailureScope.Message, isTransient: false, $"{message.File}: there is nothing in it");
            await using var open = reader;
            yield return failure is not null ? new IncomingMessage(info, failure) : new IncomingMessage(info, length, reader!.Body());
        }
    }
}
