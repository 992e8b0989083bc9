using System.Globalization;
using Imapsync.Engine.Mail;
using Imapsync.Serving.Mailboxes;
using Imapsync.Serving.Mime;
using Imapsync.Serving.Wire;

namespace Imapsync.Serving.Fetching;

/// <summary>Answers a FETCH, one message after another.</summary>
internal sealed class FetchAnswer(FetchRequest request, SelectedFolder selected, ResponseWriter output, ServingLimits limits)
{
    /// <returns>How many messages could not be returned because they are gone or unreadable.</returns>
    /// <exception cref="MailException">Reading failed in the middle of a message whose answer had already begun.</exception>
    public async Task<int> WriteAsync(IReadOnlyList<int> indexes, CancellationToken cancellationToken)
    {
        var missing = 0;
        for (var i = 0; i < indexes.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (request.NeedsDate || (request.NeedsOctets && !request.NeedsHeaderOnly))
                await selected.Snapshot.DescribeAsync(indexes, i, cancellationToken);
            if (!await TryWriteAsync(indexes[i], cancellationToken))
                missing++;
            await output.FlushIfFullAsync(cancellationToken);
        }

        return missing;
    }

    private async ValueTask<bool> TryWriteAsync(int index, CancellationToken cancellationToken)
    {
        var snapshot = selected.Snapshot;
        var info = snapshot.InfoAt(index);
        if (request.NeedsDate && info is null)
            return false;
        var message = info ?? new MessageInfo(new Imap.Uid(snapshot.UidAt(index)), snapshot.FlagsAt(index));
        BodyPart? root = null;
        byte[]? header = null;
        var length = message.Size;
        try
        {
            if (request.NeedsOctets)
            {
                header = request.NeedsHeaderOnly ? await selected.ReadHeaderAsync(message.Uid, cancellationToken) : null;
                if (header is not null)
                    root = Scan(header);
                else if (await selected.Reader.OpenAsync(message, cancellationToken) is { } opened)
                    length = opened;
                else
                    return false;
                if (root is null && request.NeedsStructure)
                    root = await selected.Reader.ScanAsync(message, cancellationToken);
            }
        }
        catch (MailException)
        {
            return false;
        }

        output.Text("* ").Number(index + 1).Text(" FETCH (");
        for (var i = 0; i < request.Items.Count; i++)
        {
            if (i > 0)
                output.Text(" ");
            output.Text(request.Items[i].Name).Text(" ");
            await WriteAsync(request.Items[i], message, length, root, header, cancellationToken);
        }

        output.Line(")");
        return true;
    }

    private async ValueTask WriteAsync(FetchItem item, MessageInfo message, long length, BodyPart? root, byte[]? header, CancellationToken cancellationToken)
    {
        switch (item.Kind)
        {
            case FetchKind.Flags:
                output.Text($"({message.Flags})");
                break;
            case FetchKind.Uid:
                output.Number(message.Uid.Value);
                break;
            case FetchKind.InternalDate:
                output.Text(message.InternalDate.ToString("'\"'dd-MMM-yyyy HH:mm:ss ", CultureInfo.InvariantCulture))
                    .Text(message.InternalDate.ToString("zzz", CultureInfo.InvariantCulture).Replace(":", "", StringComparison.Ordinal)).Text("\"");
                break;
            case FetchKind.Size:
                output.Number(length);
                break;
            case FetchKind.Envelope:
                EnvelopeText.Write(root!, output, new AddressBudget(limits));
                break;
            case FetchKind.Body:
                new BodyStructureText(output, isExtended: false, new AddressBudget(limits)).Write(root!);
                break;
            case FetchKind.BodyStructure:
                new BodyStructureText(output, isExtended: true, new AddressBudget(limits)).Write(root!);
                break;
            default:
                await WriteSectionAsync(item.Section!, message, length, root, header, cancellationToken);
                break;
        }
    }

    private async ValueTask WriteSectionAsync(BodySection section, MessageInfo message, long length, BodyPart? root, byte[]? header, CancellationToken cancellationToken)
    {
        var found = root is null ? (0, length) : section.Find(root, length);
        // A part that does not exist is sent as an empty string, as other servers do, because NIL makes some clients stop.
        if (found is not (var start, var count) || (count == 0 && section.IsFiltered))
        {
            output.Text("\"\"");
            return;
        }

        if (section.IsFiltered)
        {
            var whole = header is not null ? header.AsMemory((int)start, (int)count) : await HeaderAsync(message, start, count, cancellationToken);
            var chosen = HeaderFilter.Apply(whole.Span, section.Fields, section.Part == SectionPart.HeaderFieldsNot);
            var (from, taken) = Partial(section, chosen.Length);
            output.Text("{").Number(taken).Text("}\r\n");
            await output.WriteThroughAsync(chosen.AsMemory((int)from, (int)taken), cancellationToken);
            return;
        }

        var (offset, wanted) = Partial(section, count);
        output.Text("{").Number(wanted).Text("}\r\n");
        if (header is not null)
            await output.WriteThroughAsync(header.AsMemory((int)(start + offset), (int)wanted), cancellationToken);
        else
            await selected.Reader.ReadAsync(message, start + offset, wanted, (piece, _) => output.WriteThroughAsync(piece, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Reads a header, up to a limit. Fields beyond the limit are not found, but the fields that clients request normally come earlier.
    /// </summary>
    private ValueTask<byte[]> HeaderAsync(MessageInfo message, long start, long count, CancellationToken cancellationToken) =>
        selected.Reader.ReadAsync(message, start, Math.Min(count, limits.StructureBytes), cancellationToken);

    private static (long Start, long Count) Partial(BodySection section, long length)
    {
        if (section.Start < 0)
            return (0, length);
        var start = Math.Min(section.Start, length);
        return (start, Math.Min(section.Count, length - start));
    }

    private BodyPart Scan(byte[] header)
    {
        using var scanner = new StructureScanner(limits);
        scanner.Feed(header);
        return scanner.Finish();
    }
}
