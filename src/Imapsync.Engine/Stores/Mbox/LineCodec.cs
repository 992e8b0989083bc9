namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// The common base of encoding (message to disk) and decoding. Lines arrive in parts of any size. The first few octets decide how a line is
/// treated, so memory does not depend on its length. All lines up to the first empty one count as the header, whatever they contain.
/// </summary>
internal abstract class LineCodec(ByteBuffer output)
{
    private readonly byte[] head = new byte[MetadataNames.DecisionLength];
    private int headCount;
    private bool atLineStart = true;
    private bool lineIsEmpty = true;

    /// <summary>
    /// The number of CRs since the last other octet. A single CR is held back until the next octet shows whether a LF follows. Two or more
    /// are written at once.
    /// </summary>
    private long carriageReturns;

    protected ByteBuffer Output { get; } = output;

    protected bool InHeader { get; private set; } = true;

    /// <summary>Whether the octets processed so far end inside a line.</summary>
    protected bool InsideLine => !atLineStart;

    public void Transform(ReadOnlySpan<byte> octets)
    {
        while (!octets.IsEmpty)
        {
            if (atLineStart && (headCount > 0 || MatterAtLineStart(octets[0])))
            {
                var count = Math.Min(octets.Length, head.Length - headCount);
                var lineEnd = octets[..count].IndexOf((byte)'\n');
                count = lineEnd < 0 ? count : lineEnd + 1;
                octets[..count].CopyTo(head.AsSpan(headCount));
                headCount += count;
                octets = octets[count..];
                if (lineEnd >= 0 || headCount == head.Length)
                    DecideHead(isWhole: lineEnd >= 0);
                continue;
            }

            var end = octets.IndexOf((byte)'\n');
            var length = end < 0 ? octets.Length : end + 1;
            Pass(octets[..length]);
            octets = octets[length..];
        }
    }

    /// <summary>Processes the octets that were held back because more octets were needed to decide.</summary>
    protected void EndOfInput()
    {
        if (headCount > 0)
            DecideHead(isWhole: true);
        if (carriageReturns > 0 && lineIsEmpty)
            LeaveHeader();
        if (carriageReturns == 1)
            Write("\r"u8);
        carriageReturns = 0;
    }

    /// <summary>Returns whether a line that begins with this octet has to be examined by <see cref="Decide"/>.</summary>
    protected abstract bool MatterAtLineStart(byte first);

    /// <summary>
    /// Examines the start of a line: at least <see cref="MetadataNames.DecisionLength"/> octets, or all that are left. Returns the number
    /// of octets to skip, for which this method has already written the output. Returns -1 to copy the line unchanged.
    /// </summary>
    protected abstract int Decide(ReadOnlySpan<byte> start);

    /// <summary>Writes a line end that had this many CRs before its LF. Two or more CRs have already been written.</summary>
    protected abstract void WriteLineEnd(long carriageReturns);

    protected virtual void Write(ReadOnlySpan<byte> octets) => Output.Append(octets);

    /// <summary>Called before the empty line that ends the header. Not called for a message without an empty line.</summary>
    protected virtual void OnHeaderEnd()
    {
    }

    protected virtual void OnLineEnd()
    {
    }

    private void DecideHead(bool isWhole)
    {
        var drop = Decide(head.AsSpan(0, headCount));
        while (drop > 0)
        {
            head.AsSpan(drop, headCount - drop).CopyTo(head);
            headCount -= drop;
            lineIsEmpty = false;
            if (headCount == 0 && isWhole)
                break;
            if (!isWhole)
                return;
            drop = Decide(head.AsSpan(0, headCount));
        }

        var rest = head.AsSpan(0, headCount);
        headCount = 0;
        if (rest.IsEmpty)
            atLineStart = lineIsEmpty = false;
        else
            Pass(rest);
    }

    /// <param name="part">Contains no LF except possibly at its end.</param>
    private void Pass(ReadOnlySpan<byte> part)
    {
        atLineStart = false;
        var endsLine = part[^1] == '\n';
        if (endsLine)
            part = part[..^1];
        var text = part.TrimEnd((byte)'\r');
        if (!text.IsEmpty)
        {
            if (carriageReturns == 1)
                Write("\r"u8);
            Write(text);
            carriageReturns = 0;
            lineIsEmpty = false;
        }

        PassCarriageReturns(part.Length - text.Length);
        if (!endsLine)
            return;
        if (lineIsEmpty)
            LeaveHeader();
        WriteLineEnd(carriageReturns);
        carriageReturns = 0;
        atLineStart = lineIsEmpty = true;
        OnLineEnd();
    }

    private void PassCarriageReturns(int more)
    {
        var before = carriageReturns;
        carriageReturns += more;
        if (carriageReturns < 2)
            return;
        lineIsEmpty = false;
        for (var i = before < 2 ? 0 : before; i < carriageReturns; i++)
            Write("\r"u8);
    }

    protected void LeaveHeader()
    {
        if (!InHeader)
            return;
        OnHeaderEnd();
        InHeader = false;
    }
}
