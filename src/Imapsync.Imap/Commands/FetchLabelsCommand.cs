using System.Text;
using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Commands;

/// <summary>UID FETCH of Gmail's X-GM-MSGID and X-GM-LABELS, in bulk; only where X-GM-EXT-1 is offered.</summary>
/// <param name="set">A sequence set as it goes on the wire.</param>
/// <param name="maxRows">More than this and the server is making messages up.</param>
internal sealed class FetchLabelsCommand(string set, List<FetchedLabels> rows, Func<long> maxRows) : ImapCommand
{
    private const int MaxCached = 4096;
    private const int RowBytes = 1024;
    private const long MaxOctets = 64 << 20;

    // Few sets of labels stand for many messages.
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
        FetchMetadataCommand.DemandRoom(rows.Count, maxRows());
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
        if (octets > MaxOctets)
            throw new ImapProtocolException($"the server sent more than {MaxOctets >> 20} MiB of labels that differ");
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
