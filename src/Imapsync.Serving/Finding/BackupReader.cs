using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Serving.Mailboxes;
using Imapsync.Serving.Mime;

namespace Imapsync.Serving.Finding;

/// <summary>A message to be displayed.</summary>
/// <param name="Headers">Decoded header fields, in their original order.</param>
/// <param name="Texts">Plain text if available, else the text of the HTML.</param>
/// <param name="IsCut">Whether the texts are truncated.</param>
public sealed record ShownMessage(
    FoundMessage Message, IReadOnlyList<(string Name, string Value)> Headers, IReadOnlyList<string> Texts, IReadOnlyList<(string Title, string Type, long Bytes)> Attachments, bool IsCut);

/// <summary>Reads single messages from a backup. Does not change the backup.</summary>
public sealed class BackupReader(IMessageStore store, ServingLimits? limits = null)
{
    private readonly ServingLimits limits = limits ?? ServingLimits.Default;

    /// <exception cref="MailException">The message does not exist or can't be read.</exception>
    public Task<ShownMessage> ShowAsync(MessageAddress id, int maxTextBytes, CancellationToken cancellationToken) => WithAsync(id, async (mail, root) =>
    {
        var headers = await mail.ReadHeadersAsync(cancellationToken);
        var texts = new List<string>();
        var (left, isCut) = (maxTextBytes, false);
        foreach (var part in Readable(root))
        {
            if (left <= 0)
            {
                isCut = true;
                break;
            }

            var text = await mail.ReadTextAsync(part, left, cancellationToken);
            isCut |= text.IsCut;
            left -= (int)Math.Min(left, part.BodyLength);
            texts.Add(text.Text);
        }

        var files = Attachment.Of(root).ToList();
        return new ShownMessage(
            headers.Describe(id, mail.Info, [.. files.Select(f => f.Title)]), [.. headers.All], texts, [.. files.Select(f => (f.Title, f.Type, f.Part.BodyLength))], isCut);
    }, cancellationToken);

    /// <summary>Passes on the message's octets as stored, with CRLF line ends.</summary>
    /// <exception cref="MailException">The message does not exist or can't be read.</exception>
    public Task CopyAsync(MessageAddress id, Func<MessageInfo, Func<Func<ReadOnlyMemory<byte>, ValueTask>, Task>, Task> take, CancellationToken cancellationToken) => WithAsync(id, async (mail, root) =>
    {
        await take(mail.Info, async onPiece => await mail.CopyAsync(0, root.BodyEnd, onPiece, cancellationToken));
        return true;
    }, cancellationToken);

    /// <summary>Passes on each attachment: its name (null if none), its type, and a function that writes its octets to a stream.</summary>
    /// <returns>The number of attachments.</returns>
    /// <exception cref="MailException">The message does not exist or can't be read.</exception>
    public Task<int> TakeAttachmentsAsync(MessageAddress id, Func<string?, string, Func<Stream, Task>, Task> take, CancellationToken cancellationToken) => WithAsync(id, async (mail, root) =>
    {
        var count = 0;
        foreach (var file in Attachment.Of(root))
        {
            count++;
            await take(file.Name, file.Type, target => WriteDecodedAsync(mail, file.Part, target, cancellationToken));
        }

        return count;
    }, cancellationToken);

    private static async Task WriteDecodedAsync(OpenedMail mail, BodyPart part, Stream target, CancellationToken cancellationToken)
    {
        using var filtered = new MimeKit.IO.FilteredStream(target);
        filtered.Add(MimeKit.IO.Filters.DecoderFilter.Create(Texts.BodyText.EncodingOf(part)));
        await mail.CopyAsync(part.BodyStart, part.BodyLength, piece => filtered.WriteAsync(piece, cancellationToken), cancellationToken);
        await filtered.FlushAsync(cancellationToken);
    }

    /// <summary>Returns the parts to display as text. Of alternative parts it chooses the plain one; attached files are left out.</summary>
    private static IEnumerable<BodyPart> Readable(BodyPart part)
    {
        if (part.IsMultipart && part.Type.Subtype.Equals("alternative", StringComparison.OrdinalIgnoreCase))
        {
            var ways = part.Children.ConvertAll(c => Readable(c).ToList());
            return ways.Find(w => w.Exists(p => p.Type.Is("text", "plain"))) ?? ways.Find(w => w.Count > 0) ?? [];
        }

        if (part.IsMultipart)
            return part.Children.SelectMany(Readable);
        var isText = part.Type.Type.Equals("text", StringComparison.OrdinalIgnoreCase) && !part.IsMessage;
        return isText && !Attachment.Of(part).Any() ? [part] : [];
    }

    private async Task<T> WithAsync<T>(MessageAddress id, Func<OpenedMail, BodyPart, Task<T>> look, CancellationToken cancellationToken)
    {
        await using var folder = await store.OpenAsync(id.Folder, cancellationToken);
        if (BackupFinder.AddressOf(folder, id.Uid) != id)
            throw Gone(id, "the folder's messages were numbered anew since");
        await using var reader = new MessageReader(folder, limits);
        await foreach (var info in folder.ListAsync(new ListRequest(new UidSet([id.Uid]), WithDateAndSize: true), cancellationToken))
        {
            var mail = new OpenedMail(reader, info, limits);
            if (await mail.OpenAsync(cancellationToken))
                return await look(mail, await mail.ScanAsync(cancellationToken));
        }

        throw Gone(id, "there is no such message");
    }

    private static MailException Gone(MessageAddress id, string why) =>
        new(FailureScope.Message, isTransient: false, $"{id}: {why}; find it again with imapsync find") { Kind = FailureKind.Gone };
}
