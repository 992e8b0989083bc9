using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Mbox;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Takeout;

/// <summary>
/// The messages of the file, and the folders in which each message is. Many messages have the same labels, so each set of labels is stored
/// once.
/// </summary>
internal sealed class TakeoutContents
{
    private static readonly TakeoutLabels None = TakeoutLabels.Parse([]);

    private readonly Dictionary<FolderPath, List<int>> folders = [];
    private readonly List<TakeoutLabels> labelsOf = [];

    private TakeoutContents(MboxState state) => State = state;

    /// <summary>All messages of the file, with the flags derived from their labels.</summary>
    public MboxState State { get; private set; }

    /// <summary>How many messages have no labels at all, which suggests that another program wrote the file.</summary>
    public int Unlabelled { get; private set; }

    /// <summary>Whether any label says which messages were read.</summary>
    public bool TellsSeen { get; private set; }

    public IEnumerable<FolderPath> Folders => folders.Keys;

    public static async Task<TakeoutContents> ReadAsync(MboxState state, MboxInput input, CancellationToken cancellationToken)
    {
        var contents = new TakeoutContents(state);
        contents.folders[TakeoutLabels.AllMail] = [];
        // Each distinct field value is parsed once.
        var known = new Dictionary<string, TakeoutLabels>(StringComparer.Ordinal);
        foreach (var record in state.Records.OrderBy(r => r.Offset))
        {
            cancellationToken.ThrowIfCancellationRequested();
            contents.Take(state.IndexOf(record.Uid), await ReadLabelsAsync(input, record, known, cancellationToken));
        }

        contents.Finish();
        return contents;
    }

    public MboxState StateOf(FolderPath path) => State with { Records = [.. folders[path].Select(i => State.Records[i])] };

    /// <summary>Returns the labels of one folder's messages by UID.</summary>
    public Dictionary<Uid, MessageLabels> LabelsOf(FolderPath path) =>
        folders[path].ToDictionary(i => State.Records[i].Uid, i => new MessageLabels((ulong)State.Records[i].Digest, labelsOf[i].Labels));

    public bool Holds(FolderPath path) => folders.ContainsKey(path);

    private void Take(int at, TakeoutLabels? labels)
    {
        Unlabelled += labels is null ? 1 : 0;
        labels ??= None;
        TellsSeen |= labels.TellsSeen;
        while (labelsOf.Count <= at)
            labelsOf.Add(None);
        labelsOf[at] = labels;
        foreach (var folder in labels.Folders)
        {
            if (!folders.TryGetValue(folder, out var list))
                folders.Add(folder, list = []);
            list.Add(at);
        }

        if (labels.IsInAllMail)
            folders[TakeoutLabels.AllMail].Add(at);
    }

    private void Finish()
    {
        foreach (var list in folders.Values)
            list.Sort();
        // If no label says which messages were read, \Seen is unknown for all of them and is left out.
        var mask = TellsSeen ? ~MessageFlags.None : ~MessageFlags.Seen;
        State = State with { Records = [.. State.Records.Select((r, i) => r with { Flags = FlagSet.Create(labelsOf[i].Flags & mask) })] };
    }

    /// <summary>
    /// Reads the labels of a message; null for none. Takeout writes its fields before the message's own fields. Fields of that name further
    /// down are ignored, because a sender may have written them.
    /// </summary>
    private static async ValueTask<TakeoutLabels?> ReadLabelsAsync(
        MboxInput input, MboxRecord record, Dictionary<string, TakeoutLabels> known, CancellationToken cancellationToken)
    {
        const int maxLine = 100_000;
        var value = new MemoryStream();
        var isLabels = false;
        var position = record.Offset;
        for (var at = 0; position < record.Offset + record.Length; at++)
        {
            if (await input.GetLineAsync(position, maxLine, cancellationToken) is not { } line)
                break;
            position += line.Length + 1;
            if (at == 0)
                continue;
            var octets = line.Span;
            if (octets.StartsWith("X-Gmail-Labels:"u8))
                isLabels = true;
            else if (isLabels && !(octets.StartsWith(" "u8) || octets.StartsWith("\t"u8)))
                break;
            else if (!isLabels && !(octets.StartsWith("X-GM-"u8) || octets.StartsWith(" "u8) || octets.StartsWith("\t"u8)))
                break;
            if (isLabels)
                value.Write(value.Length == 0 ? octets["X-Gmail-Labels:".Length..] : octets);
        }

        if (!isLabels)
            return null;
        var wording = System.Text.Encoding.Latin1.GetString(value.GetBuffer(), 0, (int)value.Length);
        if (!known.TryGetValue(wording, out var labels))
            known.Add(wording, labels = TakeoutLabels.Parse(value.GetBuffer().AsSpan(0, (int)value.Length)));
        return labels;
    }
}
