using System.Text;
using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Client;

/// <summary>Gmail's labels (https://developers.google.com/gmail/imap/imap-extensions); requires that the server offers X-GM-EXT-1.</summary>
public sealed partial class ImapClient
{
    /// <summary>Adds Gmail's message numbers and labels to <paramref name="rows"/>, in the order in which the server sends them.</summary>
    /// <param name="set">A sequence set of UIDs, e.g. <c>1:*</c>.</param>
    public async Task FetchLabelsAsync(string set, List<FetchedLabels> rows, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new FetchLabelsCommand(set, rows, MaxRows, options.Limits), cancellationToken);

    /// <param name="set">Ascending UIDs in wire form.</param>
    /// <param name="labels">Labels in wire form, at least one; the server creates those that do not exist yet.</param>
    public async Task StoreLabelsAsync(string set, bool add, IReadOnlyList<string> labels, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new StoreLabelsCommand(set, add, labels), cancellationToken);
}

/// <summary>Gmail's own data about a message (X-GM-EXT-1).</summary>
/// <param name="MessageId">X-GM-MSGID: the same number in every folder that shows the message. Never 0.</param>
/// <param name="Labels">
/// X-GM-LABELS in wire form (modified UTF-7), without the selected folder's label. Gmail's own labels begin with a backslash.
/// </param>
public readonly record struct FetchedLabels(Uid Uid, ulong MessageId, IReadOnlyList<string> Labels);

/// <summary>UID FETCH of Gmail's X-GM-MSGID and X-GM-LABELS in bulk; requires that the server offers X-GM-EXT-1.</summary>
/// <param name="set">A sequence set of UIDs, e.g. <c>1:*</c>.</param>
/// <param name="maxRows">Returns the most rows that the server may send; more rows are a protocol error.</param>
internal sealed class FetchLabelsCommand(string set, List<FetchedLabels> rows, Func<long> maxRows, ImapLimits limits) : ImapCommand
{
    private const int MaxCached = 4096;
    private const int RowBytes = 1024;

    // Many messages share the same few sets of labels, so each set is parsed and kept once.
    private readonly Dictionary<string, IReadOnlyList<string>> known = [];
    private long octets;

    public override string Name => "UID FETCH";

    public override CommandClass Class => CommandClass.NeedsSelection;

    public override long ExpectedBytes => maxRows() * RowBytes;

    public override ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text($"UID FETCH {set} (UID X-GM-MSGID X-GM-LABELS)");
        return ValueTask.CompletedTask;
    }

    public override bool OnUntagged(ref ImapResponse response)
    {
        if (!response.Is("FETCH"u8))
            return false;
        if (Read(response.Arguments) is not { Uid.IsNone: false, MessageId: not 0 } row)
            return true;
        FetchMetadataCommand.RequireRoom(rows.Count, maxRows());
        rows.Add(row);
        return true;
    }

    private FetchedLabels? Read(Tokenizer arguments)
    {
        var row = new FetchedLabels(Uid.None, 0, []);
        if (arguments.Next().Kind != TokenKind.Open)
            return null;
        while (true)
        {
            var name = arguments.Next();
            if (name.Kind is TokenKind.End or TokenKind.Close)
                return row;
            if (name.Is("UID"u8))
                row = row with { Uid = new Uid(WireNumber.Parse32(arguments.Next().Raw)) };
            else if (name.Is("X-GM-MSGID"u8))
                row = row with { MessageId = ulong.TryParse(arguments.Next().Raw, out var id) ? id : 0 };
            else if (name.Is("X-GM-LABELS"u8))
                row = row with { Labels = ReadLabels(ref arguments) };
            else
                arguments.SkipValue();
        }
    }

    private IReadOnlyList<string> ReadLabels(ref Tokenizer arguments)
    {
        if (arguments.Next().Kind != TokenKind.Open)
            return [];
        var raw = arguments.TakeList();
        var key = Encoding.Latin1.GetString(raw);
        if (known.TryGetValue(key, out var labels))
            return labels;
        octets += raw.Length;
        if (octets > limits.MaxFlagBytes)
            throw new ImapProtocolException($"the server sent more than {limits.MaxFlagBytes} octets of labels that differ");
        labels = Parse(raw);
        if (known.Count < MaxCached)
            known[key] = labels;
        return labels;
    }

    private static List<string> Parse(ReadOnlySpan<byte> raw)
    {
        var labels = new List<string>();
        var tokens = new Tokenizer(raw);
        for (var token = tokens.Next(); token.Kind != TokenKind.End; token = tokens.Next())
        {
            if (token.IsString && token.Raw.Length > 0)
                labels.Add(token.ToLatin1());
        }

        return labels;
    }
}

/// <summary>UID STORE that adds or removes Gmail's X-GM-LABELS (X-GM-EXT-1). The server's FETCH replies are ignored.</summary>
internal sealed class StoreLabelsCommand(string set, bool add, IReadOnlyList<string> labels) : ImapCommand
{
    public override string Name => "UID STORE";

    public override CommandClass Class => CommandClass.NeedsSelection;

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text($"UID STORE {set} {(add ? '+' : '-')}X-GM-LABELS (");
        for (var i = 0; i < labels.Count; i++)
        {
            if (i > 0)
                writer.Text(" ");
            if (!await writer.StringAsync(labels[i]))
                return;
        }

        writer.Text(")");
    }

    public override bool OnUntagged(ref ImapResponse response) => response.Is("FETCH"u8);
}
