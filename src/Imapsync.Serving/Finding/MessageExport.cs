using System.Globalization;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Serving.Finding;

/// <summary>Writes messages of a backup to new files.</summary>
/// <param name="onWritten">Called with the path of each completed file.</param>
public sealed class MessageExport(BackupReader backup, Action<string> onWritten)
{
    /// <summary>Writes each message to a file of its own, octet for octet.</summary>
    public async Task WriteMessagesAsync(IReadOnlyList<MessageAddress> ids, string directory, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        foreach (var id in ids)
        {
            var subject = (await backup.ShowAsync(id, 0, cancellationToken)).Message.Subject;
            await backup.CopyAsync(id, async (info, copy) =>
            {
                var date = info.InternalDate.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
                await WriteAsync(directory, $"{date} {SafeFileName.Of(subject, "no subject")}.eml", async file => await copy(piece => file.WriteAsync(piece, cancellationToken)));
            }, cancellationToken);
        }
    }

    public async Task WriteAttachmentsAsync(IReadOnlyList<MessageAddress> ids, string directory, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        foreach (var id in ids)
            await backup.TakeAttachmentsAsync(id, (name, type, write) => WriteAsync(directory, SafeFileName.Of(name, Unnamed(type)), write), cancellationToken);
    }

    /// <summary>
    /// Writes all messages to one mboxrd file with LF line ends. Lines that begin with From, quoted or not, get one more &gt;.
    /// </summary>
    /// <exception cref="IOException">The file already exists.</exception>
    public async Task WriteMboxAsync(IReadOnlyList<MessageAddress> ids, string path, CancellationToken cancellationToken)
    {
        await using (var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None))
        {
            try
            {
                foreach (var id in ids)
                {
                    await backup.CopyAsync(id, async (info, copy) =>
                    {
                        using var message = new MboxrdWriter(file, info.InternalDate);
                        await copy(piece => message.WriteAsync(piece, cancellationToken));
                        await message.EndAsync(cancellationToken);
                    }, cancellationToken);
                }
            }
            catch
            {
                File.Delete(path);
                throw;
            }
        }

        onWritten(path);
    }

    private static string Unnamed(string type) => type switch
    {
        "message/rfc822" => "message.eml",
        "text/plain" => "text.txt",
        "text/html" => "text.html",
        "image/png" => "image.png",
        "image/jpeg" => "image.jpg",
        "application/pdf" => "document.pdf",
        _ => "attachment.bin",
    };

    /// <summary>Writes one file; deletes it again if it could not be written completely.</summary>
    private async Task WriteAsync(string directory, string name, Func<Stream, Task> write)
    {
        await using var file = SafeFileName.Create(directory, name);
        try
        {
            await write(file);
            await file.FlushAsync();
        }
        catch
        {
            File.Delete(file.Name);
            throw;
        }

        onWritten(file.Name);
    }
}
