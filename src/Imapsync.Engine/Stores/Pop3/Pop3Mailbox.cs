using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;
using Imapsync.Imap.Pop3;

namespace Imapsync.Engine.Stores.Pop3;

/// <summary>
/// The messages that one session shows. POP3 locks the mailbox for a session, and message numbers are valid only in it. Unique-ids are
/// permanent, so the job's state remembers a UID for each.
/// </summary>
internal sealed class Pop3Mailbox
{
    /// <summary>The longest unique-id that is accepted. RFC 1939 §7 permits at most 70 characters.</summary>
    private const int MaxIdLength = 1000;

    private readonly Dictionary<int, long> sizes;
    private readonly NameMemory memory;
    private readonly IReadOnlyList<(int Number, string Id)> listed;

    private Pop3Mailbox(
        Pop3Client client, FolderStatus status, NameMemory names, IReadOnlyList<(int Number, string Id)> ids, SortedDictionary<Uid, int> numbers, Dictionary<int, long> sizes)
    {
        (Client, Status, LastingUidValidity, Numbers) = (client, status, names.Validity, numbers);
        (memory, listed, this.sizes) = (names, ids, sizes);
    }

    public Pop3Client Client { get; }

    public FolderStatus Status { get; }

    public UidValidity LastingUidValidity { get; }

    /// <summary>For each new UID that a known unique-id has got: the earlier UID. See <see cref="IMessageFolder.Predecessors"/>.</summary>
    public IReadOnlyDictionary<Uid, Uid> Predecessors => memory.Predecessors;

    /// <summary>The session's message number for each UID.</summary>
    public SortedDictionary<Uid, int> Numbers { get; }

    /// <summary>Whether the server supports TOP; null until it was tried.</summary>
    public bool? TakesTop { get; set; }

    /// <summary>Returns the size that the server states; -1 where it states none.</summary>
    public long SizeOf(int number) => sizes.GetValueOrDefault(number, -1);

    /// <summary>
    /// Assigns new UIDs to the unique-ids of messages that the server is about to delete (after DELE, before QUIT). A server may assign a
    /// unique-id again once its message is gone (RFC 1939 §7). So a later message with such a unique-id counts as another message until its
    /// contents prove to be the same.
    /// </summary>
    public void GiveUp(IReadOnlyCollection<Uid> uids) => LocalFiles.Guard(FailureScope.Folder, "what is remembered of the unique-ids", () =>
    {
        var numbers = uids.Select(u => Numbers[u]).ToHashSet();
        RequireRoom(numbers.Count);
        memory.Add([.. listed.Where(i => numbers.Contains(i.Number)).Select(i => i.Id)]);
        return true;
    });

    /// <summary>Checks that <see cref="GiveUp"/> can store new UIDs for this number of unique-ids.</summary>
    /// <exception cref="MailException">The new UIDs can't be stored, so nothing may be deleted.</exception>
    public void RequireRoom(int count)
    {
        if (!memory.IsKept)
            throw new MailException(FailureScope.Folder, isTransient: false, "what is remembered of the unique-ids can only be read, so nothing is deleted");
        if (memory.IsProvisional || !memory.HasRoom(count))
            throw new MailException(FailureScope.Folder, isTransient: false, "the state has no room for more unique-ids, so nothing is deleted");
    }

    /// <param name="client">A client that is logged in.</param>
    /// <exception cref="MailException">The server does not give its messages distinct unique-ids.</exception>
    public static async Task<Pop3Mailbox> ReadAsync(Pop3Client client, Pop3Endpoint endpoint, StoreContext context, CancellationToken cancellationToken)
    {
        var count = await client.CountAsync(cancellationToken);
        var ids = await IdsAsync(client, endpoint, cancellationToken);
        var stated = new Dictionary<int, long>();
        foreach (var (number, size) in await client.SizesAsync(cancellationToken))
            stated[number] = size;
        return LocalFiles.Guard(FailureScope.Store, "what is remembered of the unique-ids", () =>
        {
            var names = NameMemory.Open(FolderPath.Inbox, $"pop3://{endpoint.Identity}", context);
            names.Add([.. ids.OrderBy(i => i.Number).Select(i => i.Id).Where(i => !names.Uids.ContainsName(i))]);
            // A server may assign a unique-id again once its message is gone (RFC 1939 §7). So a message whose size differs from the
            // recorded one counts as another message until its octets prove to be the same.
            names.RenewResized(ids.Select(i => (i.Id, stated.GetValueOrDefault(i.Number, -1))));
            var numbers = new SortedDictionary<Uid, int>();
            foreach (var (number, id) in ids)
                numbers[names.Uids.TryGetUid(id, out var uid) ? new Uid(uid) : throw new InvalidOperationException("a unique-id was not remembered")] = number;
            var validity = names.IsProvisional ? UidValidity.None : names.Validity;
            // If STAT counts more messages than UIDL lists, the listing is incomplete, so the higher count is reported.
            var status = new FolderStatus(validity, new Uid(names.Next), Math.Max(count, numbers.Count));
            return new Pop3Mailbox(client, status, names, ids, numbers, stated);
        });
    }

    private static async Task<IReadOnlyList<(int Number, string Id)>> IdsAsync(Pop3Client client, Pop3Endpoint endpoint, CancellationToken cancellationToken)
    {
        const string without = "the server gives its messages no unique-ids (UIDL), so a later run could not tell which it has copied already; read this account by IMAP if the server has it";
        if (!client.Capabilities.HasUidl)
            throw new MailException(FailureScope.Store, isTransient: false, $"{endpoint.Display}: {without}");
        IReadOnlyList<(int Number, string Id)> ids;
        try
        {
            ids = await client.UniqueIdsAsync(cancellationToken);
        }
        catch (Pop3RefusedException e) when (!RefusalClassifier.Classify(e.Reply).IsTransient)
        {
            throw new MailException(FailureScope.Store, isTransient: false, $"{endpoint.Display}: {without} ({e.Message})", e);
        }

        var seen = new Dictionary<string, int>(ids.Count, StringComparer.Ordinal);
        var numbers = new HashSet<int>(ids.Count);
        foreach (var (number, id) in ids)
        {
            if (id.Length is 0 or > MaxIdLength || id.AsSpan().IndexOfAnyExceptInRange('\x21', '\x7e') >= 0)
                throw Refuse($"the unique-id of message {number} is none: RFC 1939 wants printable characters");
            if (!numbers.Add(number))
                throw Refuse($"UIDL lists message {number} twice");
            if (!seen.TryAdd(id, number))
                throw Refuse($"messages {seen[id]} and {number} have the same unique-id, '{id}', so they can't be told apart; one would be taken for the other");
        }

        return ids;

        MailException Refuse(string why) => new(FailureScope.Store, isTransient: false, $"{endpoint.Display}: {why}; read this account by IMAP if the server has it");
    }
}
