namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// Encodes one message from its octets to its lines on disk. (1) Line ends become LF. (2) <c>From </c> lines are quoted as in mboxrd. (3)
/// The sender's fields with names of mbox metadata (such as <c>Status</c>) are escaped. (4) This program's flag fields are added at the end
/// of the header. (5) An empty line follows the message. A message without a header begins with the flag fields.
/// </summary>
/// <param name="flagFields">Complete lines, see <see cref="FlagFields"/>.</param>
internal sealed class MboxEncoder(ByteBuffer output, ReadOnlyMemory<byte> flagFields) : LineCodec(output)
{
    private bool sawQuote;
    private bool sawEscape;

    /// <summary>The form in which the message is stored; known after <see cref="Finish"/>.</summary>
    public MboxForm Form { get; private set; }

    public void Finish()
    {
        EndOfInput();
        if (InsideLine)
        {
            Form |= MboxForm.NoFinalLineEnd;
            Output.Append((byte)'\n');
        }

        LeaveHeader();
        Output.Append((byte)'\n');
    }

    protected override bool MatterAtLineStart(byte first) =>
        first is (byte)'>' or (byte)'F' || (InHeader && MetadataNames.MayBegin(first));

    // A quote (>) or an escape is inserted directly before "From " or the field's name. Existing quotes or escapes stay before it, so they
    // are copied one by one.
    protected override int Decide(ReadOnlySpan<byte> start)
    {
        if (!sawEscape && start[0] == '>')
        {
            sawQuote = true;
            Write(">"u8);
            return 1;
        }

        if (!sawEscape && start.StartsWith("From "u8))
        {
            Write(">"u8);
        }
        else if (InHeader && !sawQuote && MetadataNames.StartsWithEscape(start))
        {
            sawEscape = true;
            var length = MetadataNames.Escape.Length;
            Write(start[..length]);
            return length;
        }
        else if (InHeader && !sawQuote && MetadataNames.StartsWithName(start))
        {
            Write(MetadataNames.Escape);
        }

        return -1;
    }

    protected override void WriteLineEnd(long carriageReturns)
    {
        if (carriageReturns != 1)
            Form |= MboxForm.Exchanged;
        Write(carriageReturns == 0 ? "\r\n"u8 : "\n"u8);
    }

    protected override void OnHeaderEnd() => Output.Append(flagFields.Span);

    protected override void OnLineEnd() => sawQuote = sawEscape = false;
}
