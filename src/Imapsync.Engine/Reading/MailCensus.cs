using System.Collections.Immutable;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Reading;

/// <summary>The messages of one sender.</summary>
/// <param name="Messages">The number of messages whose headers were read.</param>
/// <param name="Bytes">Their size in octets, as far as it is known.</param>
public sealed record SenderCount(string Address, string? Name, long Messages, long Bytes);

public sealed record YearCount(int Year, long Messages, long Bytes);

public sealed record FolderSize(FolderPath Folder, long Messages, long Bytes);

/// <summary>Statistics of a store's mail by sender and year. Taking them changes nothing.</summary>
/// <param name="Senders">The senders, most frequent first.</param>
/// <param name="Years">The years in which mail was received, oldest first.</param>
/// <param name="Folders">The folders, largest first.</param>
/// <param name="Messages">The number of messages listed.</param>
/// <param name="Bytes">Their size in octets.</param>
/// <param name="HeadersRead">The number of messages whose sender was read.</param>
/// <param name="IsWhole">False when the store has more messages than <see cref="MaxMessages"/>.</param>
public sealed record MailCensus(
    ImmutableArray<SenderCount> Senders, ImmutableArray<YearCount> Years, ImmutableArray<FolderSize> Folders, long Messages, long Bytes, long HeadersRead, bool IsWhole)
{
    /// <summary>The most messages that are listed; more would take too long for a report page.</summary>
    public const long MaxMessages = 1_000_000;

    /// <summary>The approximate number of headers to read. In a larger store only every second, third or n-th header is read.</summary>
    public const long MaxHeaders = 20_000;

    private const int MaxSenders = 100_000;

    /// <exception cref="MailException"/>
    public static async Task<MailCensus> TakeAsync(IMessageStore store, CancellationToken cancellationToken)
    {
        var folders = (await store.ListFoldersAsync(cancellationToken)).Where(f => f.HoldsMessages).ToList();
        var total = 0L;
        foreach (var folder in folders)
            total += (folder.Status ?? await StatusAnswers.EvenByOpeningAsync(store, folder.Path, cancellationToken)).Messages;
        var step = (total + MaxHeaders - 1) / MaxHeaders;
        var senders = new Dictionary<string, SenderCount>(StringComparer.OrdinalIgnoreCase);
        var years = new Dictionary<int, YearCount>();
        var sizes = new List<FolderSize>();
        long listed = 0, read = 0;
        foreach (var entry in folders)
        {
            if (listed >= MaxMessages)
                break;
            await using var folder = await store.OpenAsync(entry.Path, cancellationToken);
            var chosen = new Dictionary<Uid, long>();
            var size = new FolderSize(entry.Path, 0, 0);
            await foreach (var message in folder.ListAsync(new ListRequest(WithDateAndSize: true), cancellationToken))
            {
                if (listed >= MaxMessages)
                    break;
                var octets = Math.Max(0, message.Size);
                if (listed++ % Math.Max(1, step) == 0)
                    chosen[message.Uid] = octets;
                size = size with { Messages = size.Messages + 1, Bytes = size.Bytes + octets };
                var year = message.InternalDate.UtcDateTime.Year;
                var known = years.GetValueOrDefault(year) ?? new YearCount(year, 0, 0);
                years[year] = known with { Messages = known.Messages + 1, Bytes = known.Bytes + octets };
            }

            sizes.Add(size);
            await foreach (var header in folder.ReadHeadersAsync(new UidSet(chosen.Keys), cancellationToken))
            {
                read++;
                if (MessageDescription.Of(header.Octets) is not { FromAddress: { } address } envelope)
                    continue;
                if (!senders.TryGetValue(address, out var sender) && senders.Count >= MaxSenders)
                    continue;
                sender ??= new SenderCount(address, null, 0, 0);
                senders[address] = sender with { Name = sender.Name ?? envelope.FromName, Messages = sender.Messages + 1, Bytes = sender.Bytes + chosen.GetValueOrDefault(header.Uid) };
            }
        }

        return new MailCensus(
            [.. senders.Values.OrderByDescending(s => s.Messages).ThenBy(s => s.Address, StringComparer.OrdinalIgnoreCase)],
            [.. years.Values.OrderBy(y => y.Year)],
            [.. sizes.OrderByDescending(f => f.Bytes).ThenBy(f => f.Folder)],
            listed, sizes.Sum(f => f.Bytes), read, listed < MaxMessages);
    }
}
