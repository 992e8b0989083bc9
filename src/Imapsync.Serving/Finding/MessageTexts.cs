using Imapsync.Engine.Mail;

namespace Imapsync.Serving.Finding;

/// <summary>The decoded texts of one message in which a search looks for words. Several texts are joined by line ends.</summary>
/// <param name="From">The values of From and Sender.</param>
/// <param name="To">The values of To, Cc and Bcc.</param>
/// <param name="Rest">The text parts and the names of attached files.</param>
internal sealed record MessageTexts(string From, string To, string Subject, string Rest, bool HasAttachment)
{
    /// <returns>Null if the message is gone.</returns>
    /// <exception cref="MailException">The message can't be read.</exception>
    public static async ValueTask<MessageTexts?> ReadAsync(OpenedMail mail, CancellationToken cancellationToken)
    {
        if (!await mail.OpenAsync(cancellationToken))
            return null;
        var headers = await mail.ReadHeadersAsync(cancellationToken);
        var root = await mail.ScanAsync(cancellationToken);
        List<string> rest = [.. Attachment.Of(root).Select(a => a.Title)];
        var hasAttachment = rest.Count > 0;
        await foreach (var text in mail.ReadTextsAsync(root, cancellationToken))
            rest.Add(text);
        return new MessageTexts(headers.Joined("From", "Sender"), headers.Joined("To", "Cc", "Bcc"), headers.Joined("Subject"), string.Join('\n', rest), hasAttachment);
    }
}
