using System.Runtime.CompilerServices;
using Imapsync.Engine.Mail;
using Imapsync.Serving.Mailboxes;
using Imapsync.Serving.Mime;
using Imapsync.Serving.Texts;

namespace Imapsync.Serving.Finding;

/// <summary>One message of an open folder, for reading its parts.</summary>
internal sealed class OpenedMail(MessageReader reader, MessageInfo info, ServingLimits limits)
{
    public MessageInfo Info => info;

    /// <returns>False if the message is gone.</returns>
    public async ValueTask<bool> OpenAsync(CancellationToken cancellationToken) => await reader.OpenAsync(info, cancellationToken) is not null;

    public ValueTask<BodyPart> ScanAsync(CancellationToken cancellationToken) => reader.ScanAsync(info, cancellationToken);

    public async ValueTask<MessageHeaders> ReadHeadersAsync(CancellationToken cancellationToken)
    {
        var root = await ScanAsync(cancellationToken);
        return new MessageHeaders(await reader.ReadAsync(info, 0, Math.Min(root.BodyStart, limits.StructureBytes), cancellationToken));
    }

    /// <summary>Whether each of the words occurs in one of the message's texts.</summary>
    public async ValueTask<bool> HasTextsAsync(BodyPart root, IReadOnlyList<string> words, CancellationToken cancellationToken)
    {
        var missing = words.ToList();
        if (missing.Count == 0)
            return true;
        await foreach (var text in ReadTextsAsync(root, cancellationToken))
        {
            missing.RemoveAll(w => TextMatch.Has(text, w));
            if (missing.Count == 0)
                return true;
        }

        return false;
    }

    /// <summary>Returns the message's texts, part by part, up to <see cref="ServingLimits.SearchedTextBytes"/>.</summary>
    public async IAsyncEnumerable<string> ReadTextsAsync(BodyPart root, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var left = limits.SearchedTextBytes;
        foreach (var part in BodyText.TextParts(root))
        {
            if (left <= 0)
                yield break;
            yield return (await ReadTextAsync(part, left, cancellationToken)).Text;
            left -= (int)Math.Min(left, part.BodyLength);
        }
    }

    public ValueTask<DecodedText> ReadTextAsync(BodyPart part, int maxBytes, CancellationToken cancellationToken) =>
        BodyText.ReadAsync(reader, info, part, maxBytes, cancellationToken);

    /// <summary>Passes on a range of octets as stored.</summary>
    public ValueTask CopyAsync(long start, long count, Func<ReadOnlyMemory<byte>, ValueTask> onPiece, CancellationToken cancellationToken) =>
        reader.ReadAsync(info, start, count, (piece, _) => onPiece(piece), cancellationToken);
}
