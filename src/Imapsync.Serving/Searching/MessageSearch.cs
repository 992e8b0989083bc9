using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Reading;
using Imapsync.Imap;
using Imapsync.Serving.Mailboxes;
using Imapsync.Serving.Texts;
using Imapsync.Serving.Wire;
using MimeKit.Utils;

namespace Imapsync.Serving.Searching;

/// <summary>
/// Tests a search key on one message after another, reading only what the key needs. A message that is gone or can't be read may match or
/// not. It is not returned, not even for NOT, but counted as <see cref="Unknown"/>.
/// </summary>
internal sealed class MessageSearch(SelectedFolder selected, ServingLimits limits)
{
    private readonly FolderSnapshot snapshot = selected.Snapshot;
    private readonly Dictionary<SequenceSet, IReadOnlyList<(uint First, uint Last)>> sets = [];
    private IReadOnlyList<int> order = [];
    private int at;
    private byte[]? header;
    private bool isHeaderAsked;
    private long bytesRead;

    /// <summary>The number of messages of which it is unknown whether they match.</summary>
    public int Unknown { get; private set; }

    /// <returns>The indexes of the matching messages, in ascending order.</returns>
    /// <exception cref="RefusalException">The search would read more than <see cref="ServingLimits.SearchBytes"/>.</exception>
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

            (header, isHeaderAsked) = (null, false);
            var fits = await FitsAsync(key, cancellationToken);
            if (fits == true)
                found.Add(at);
            Unknown += fits is null ? 1 : 0;
        }

        return found;
    }

    /// <returns>Null if it is unknown whether the message matches.</returns>
    private async ValueTask<bool?> FitsAsync(SearchKey key, CancellationToken cancellationToken)
    {
        switch (key)
        {
            case AllKeys all:
                bool? fitsAll = true;
                foreach (var inner in all.Keys)
                {
                    var fits = await FitsAsync(inner, cancellationToken);
                    if (fits == false)
                        return false;
                    fitsAll &= fits;
                }

                return fitsAll;
            case AnyKey any:
                var first = await FitsAsync(any.First, cancellationToken);
                return first == true ? first : first | await FitsAsync(any.Second, cancellationToken);
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
                return await InfoAsync(cancellationToken) is { Size: >= 0 } sized ? size.IsLarger ? sized.Size > size.Octets : sized.Size < size.Octets : null;
            case DateKey { IsSent: false } date:
                return await InfoAsync(cancellationToken) is { } dated ? Fits(date, dated.InternalDate) : null;
            case DateKey sent:
                return await HeaderAsync(cancellationToken) is { } dating ? SentAt(dating) is { } when && Fits(sent, when) : null;
            case HeaderKey field:
                return await HeaderAsync(cancellationToken) is { } named ? HeaderHas(named, field) : null;
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

    /// <summary>Returns the header; null if the message is gone or unreadable, which a FETCH of the message will report.</summary>
    private async ValueTask<byte[]?> HeaderAsync(CancellationToken cancellationToken)
    {
        if (isHeaderAsked)
            return header;
        header = await selected.ReadHeaderAsync(new Uid(snapshot.UidAt(at)), cancellationToken) ?? await ReadLongHeaderAsync(cancellationToken);
        isHeaderAsked = true;
        Spend(header?.Length ?? 0);
        return header;
    }

    /// <summary>Reads a header that is too long to be read without its message.</summary>
    private async ValueTask<byte[]?> ReadLongHeaderAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await InfoAsync(cancellationToken) is not { } message || await selected.Reader.OpenAsync(message, cancellationToken) is null)
                return null;
            var root = await selected.Reader.ScanAsync(message, cancellationToken);
            // If the header can't be read completely, it is unknown whether a field is missing.
            return root.BodyStart > limits.StructureBytes ? null : await selected.Reader.ReadAsync(message, 0, root.BodyStart, cancellationToken);
        }
        catch (MailException)
        {
            return null;
        }
    }

    private static DateTimeOffset? SentAt(byte[] header)
    {
        var field = HeaderText.Fields(header).FirstOrDefault(f => f.Name.Equals("Date", StringComparison.OrdinalIgnoreCase)).Value;
        return field is not null && DateUtils.TryParse(field, out var date) ? date : null;
    }

    private static bool HeaderHas(byte[] header, HeaderKey key)
    {
        foreach (var (name, value) in HeaderText.Fields(header))
        {
            if (name.Equals(key.Name, StringComparison.OrdinalIgnoreCase) && (key.Text.Length == 0 || TextMatch.Has(HeaderText.Decode(value), key.Text)))
                return true;
        }

        return false;
    }

    private async ValueTask<bool?> TextHasAsync(TextKey key, CancellationToken cancellationToken)
    {
        if (key.Text.Length == 0)
            return true;
        if (key.WithHeader)
        {
            if (await HeaderAsync(cancellationToken) is not { } whole)
                return null;
            foreach (var (name, value) in HeaderText.Fields(whole))
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
            return null;
        }
    }

    private async ValueTask<bool?> BodyHasAsync(string words, CancellationToken cancellationToken)
    {
        if (await InfoAsync(cancellationToken) is not { } message || await selected.Reader.OpenAsync(message, cancellationToken) is not { } length)
            return null;
        Spend(length);
        var left = limits.SearchedTextBytes;
        foreach (var part in BodyText.TextParts(await selected.Reader.ScanAsync(message, cancellationToken)))
        {
            if (TextMatch.Has((await BodyText.ReadAsync(selected.Reader, message, part, left, cancellationToken)).Text, words))
                return true;
            // The rest of a part longer than the search limit was not searched, so the result is unknown.
            if (part.BodyLength > left)
                return null;
            left -= (int)part.BodyLength;
        }

        return false;
    }

    private void Spend(long octets)
    {
        if ((bytesRead += octets) > limits.SearchBytes)
            throw new RefusalException("the search would read too much: narrow it by date or sender", "LIMIT");
    }
}
