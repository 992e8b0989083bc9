using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Mbox;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Takeout;

/// <summary>Which messages the file holds and which folders each lies in. Labels are few sets of few names, and held once.</summary>
internal sealed class TakeoutContents
{
    private static readonly TakeoutLabels None = TakeoutLabels.Parse([]);

    private readonly Dictionary<FolderPath, List<int>> folders = [];
    private readonly List<TakeoutLabels> labelsOf = [];

    private TakeoutContents(MboxState state) => State = state;

    /// <summary>All messages of the file, with the flags that their labels tell.</summary>
    public MboxState State { get; private set; }

    /// <summary>How many messages have no labels at all, as if another program had written the file.</summary>
    public int Unlabelled { get; private set; }

    /// <summary>Some label tells what was read.</summary>
    public bool TellsSeen { get; private set; }

    public IEnumerable<FolderPath> Folders => folders.Keys;

    public static async Task<TakeoutContents> ReadAsync(MboxState state, MboxInput input, CancellationToken cancellationToken)
    {
        var contents = new TakeoutContents(state);
        contents.folders[TakeoutLabels.AllMail] = [];
        // Parsed once for each wording.
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

    /// <summary>By UID, of one folder.</summary>
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
        // Where no label says what was read, nothing is known of it.
        var mask = TellsSeen ? ~MessageFlags.None : ~MessageFlags.Seen;
        State = State with { Records = [.. State.Records.Select((r, i) => r with { Flags = FlagSet.Create(labelsOf[i].Flags & mask) })] };
    }

    /// <summary>
    /// Takeout writes its fields in front of the message; further down a sender may have put one of that name. Null where there is none.
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
