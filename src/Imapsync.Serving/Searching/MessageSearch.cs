using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Serving.Mailboxes;
using Imapsync.Serving.Texts;
using Imapsync.Serving.Wire;
using MimeKit.Utils;

namespace Imapsync.Serving.Searching;

/// <summary>Tests messages against a search key one by one, reading no more of each than is needed to decide.</summary>
internal sealed class MessageSearch(SelectedFolder selected, ServingLimits limits)
{
    private readonly FolderSnapshot snapshot = selected.Snapshot;
    private readonly Dictionary<SequenceSet, IReadOnlyList<(uint First, uint Last)>> sets = [];
    private IReadOnlyList<int> order = [];
    private int at;
    private byte[]? header;
    private long bytesRead;

    /// <returns>The indexes of the messages found, ascending.</returns>
    /// <exception cref="RefusalException">The search would read more octets than the limit allows.</exception>
    public async Task<List<int>> RunAsync(SearchKey key, CancellationToken cancellationToken)
    {
        var found = new List<int>();
        order = [.. Enumerable.Range(0, snapshot.Count)];
        for (at = 0; at < snapshot.Count; at++)
        {
            if (at % 256 == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await Task.Yield();
            }

            header = null;
            if (await FitsAsync(key, cancellationToken))
                found.Add(at);
        }

        return found;
    }

    private async ValueTask<bool> FitsAsync(SearchKey key, CancellationToken cancellationToken)
    {
        switch (key)
        {
            case AllKeys all:
                foreach (var inner in all.Keys)
                {
                    if (!await FitsAsync(inner, cancellationToken))
                        return false;
                }

                return true;
            case AnyKey any:
                return await FitsAsync(any.First, cancellationToken) || await FitsAsync(any.Second, cancellationToken);
            case NotKey not:
                return !await FitsAsync(not.Key, cancellationToken);
            case FlagKey flag:
                var flags = snapshot.FlagsAt(at);
                return flag.Keyword is { } keyword ? flags.Keywords.Contains(keyword, StringComparer.OrdinalIgnoreCase) : flags.System.HasFlag(flag.System);
            case SetKey set:
                if (!sets.TryGetValue(set.Set, out var ranges))
                    sets.Add(set.Set, ranges = set.Set.Resolve(set.ByUid ? snapshot.LastUid : (uint)snapshot.Count));
                return SequenceSet.Contains(ranges, set.ByUid ? snapshot.UidAt(at) : (uint)at + 1);
            case SizeKey size:
                return await InfoAsync(cancellationToken) is { } sized && (size.IsLarger ? sized.Size > size.Octets : sized.Size < size.Octets);
            case DateKey { IsSent: false } date:
                return await InfoAsync(cancellationToken) is { } dated && Fits(date, dated.InternalDate);
            case DateKey sent:
                return await SentAsync(cancellationToken) is { } when && Fits(sent, when);
            case HeaderKey field:
                return await HeaderHasAsync(field, cancellationToken);
            case TextKey text:
                return await TextHasAsync(text, cancellationToken);
            default:
                return false;
        }
    }

    private static bool Fits(DateKey key, DateTimeOffset date)
    {
        var day = DateOnly.FromDateTime(date.DateTime);
        return key.Sign switch { < 0 => day < key.Day, 0 => day == key.Day, _ => day >= key.Day };
    }

    private async ValueTask<MessageInfo?> InfoAsync(CancellationToken cancellationToken)
    {
        await snapshot.DescribeAsync(order, at, cancellationToken);
        return snapshot.InfoAt(at);
    }

    private async ValueTask<byte[]> HeaderAsync(CancellationToken cancellationToken)
    {
        if (header is not null)
            return header;
        header = await selected.ReadHeaderAsync(new Uid(snapshot.UidAt(at)), cancellationToken) ?? await ReadLongHeaderAsync(cancellationToken);
        Spend(header.Length);
        return header;
    }

    /// <summary>
    /// Reads a long header together with its message. Returns an empty one if the message can't be read; a client that fetches the message gets the error.
    /// </summary>
    private async ValueTask<byte[]> ReadLongHeaderAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await InfoAsync(cancellationToken) is not { } message || await selected.Reader.OpenAsync(message, cancellationToken) is null)
                return [];
            var root = await selected.Reader.ScanAsync(message, cancellationToken);
            return await selected.Reader.ReadAsync(message, 0, Math.Min(root.BodyStart, limits.StructureBytes), cancellationToken);
        }
        catch (MailException)
        {
            return [];
        }
    }

    private async ValueTask<DateTimeOffset?> SentAsync(CancellationToken cancellationToken)
    {
        var field = HeaderText.Fields(await HeaderAsync(cancellationToken)).FirstOrDefault(f => f.Name.Equals("Date", StringComparison.OrdinalIgnoreCase)).Value;
        return field is not null && DateUtils.TryParse(field, out var date) ? date : null;
    }

    private async ValueTask<bool> HeaderHasAsync(HeaderKey key, CancellationToken cancellationToken)
    {
        foreach (var (name, value) in HeaderText.Fields(await HeaderAsync(cancellationToken)))
        {
            if (name.Equals(key.Name, StringComparison.OrdinalIgnoreCase) && (key.Text.Length == 0 || TextMatch.Has(HeaderText.Decode(value), key.Text)))
                return true;
        }

        return false;
    }

    private async ValueTask<bool> TextHasAsync(TextKey key, CancellationToken cancellationToken)
    {
        if (key.Text.Length == 0)
            return true;
        if (key.WithHeader)
        {
            foreach (var (name, value) in HeaderText.Fields(await HeaderAsync(cancellationToken)))
            {
                if (TextMatch.Has($"{name}: {HeaderText.Decode(value)}", key.Text))
                    return true;
            }
        }

        try
        {
            return await BodyHasAsync(key.Text, cancellationToken);
        }
        catch (MailException)
        {
            // An unreadable message does not match; a client that fetches it gets the error.
            return false;
        }
    }

    private async ValueTask<bool> BodyHasAsync(string words, CancellationToken cancellationToken)
    {
        if (await InfoAsync(cancellationToken) is not { } message || await selected.Reader.OpenAsync(message, cancellationToken) is not { } length)
            return false;
        Spend(length);
        var left = limits.SearchedTextBytes;
        foreach (var part in BodyText.TextParts(await selected.Reader.ScanAsync(message, cancellationToken)))
        {
            if (left <= 0)
                break;
            if (TextMatch.Has((await BodyText.ReadAsync(selected.Reader, message, part, left, cancellationToken)).Text, words))
                return true;
            left -= (int)Math.Min(left, part.BodyLength);
        }

        return false;
    }

    private void Spend(long octets)
    {
        if ((bytesRead += octets) > limits.SearchBytes)
            throw new RefusalException("the search would read too much: narrow it by date or sender", "LIMIT");
    }
}
