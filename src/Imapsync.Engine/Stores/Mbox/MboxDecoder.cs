namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// Decodes one message from its lines on disk, without the postmark and the empty line after it. The reverse of <see cref="MboxEncoder"/>.
/// </summary>
internal sealed class MboxDecoder(ByteBuffer output, MboxForm form) : LineCodec(output)
{
    private readonly byte[] heldEscape = new byte[MetadataNames.Escape.Length];
    private long quotes;
    private bool sawEscape;
    private bool skipping;
    private bool skippedBefore;

    /// <summary>
    /// The number of CRs of a line end that is not written yet. If it is the last one, it does not belong to the message. Null for none.
    /// </summary>
    private long? heldLineEnd;

    public void Finish()
    {
        EndOfInput();
        if (heldLineEnd == 1)
            Output.Append((byte)'\r');
        heldLineEnd = null;
    }

    protected override bool MatterAtLineStart(byte first) =>
        first == '>' || (InHeader && (MetadataNames.MayBegin(first) || (skippedBefore && first is (byte)' ' or (byte)'\t')));

    protected override int Decide(ReadOnlySpan<byte> start)
    {
        if (!sawEscape && start[0] == '>' && !form.HasFlag(MboxForm.Unquoted))
        {
            if (quotes++ > 0)
                Write(">"u8);
            return 1;
        }

        if (quotes > 0)
        {
            var isOurs = start.StartsWith("From "u8) && (quotes == 1 || !form.HasFlag(MboxForm.QuotedOnce));
            if (!isOurs)
                Write(">"u8);
            return -1;
        }

        return InHeader ? DecideField(start) : -1;
    }

    protected override void Write(ReadOnlySpan<byte> octets)
    {
        if (skipping)
            return;
        ReleaseLineEnd();
        Output.Append(octets);
    }

    protected override void WriteLineEnd(long carriageReturns)
    {
        // The line end of a skipped metadata field is skipped, too. Any other line shows that the held line end is not the message's last,
        // so it is written now.
        if (skipping)
            return;
        ReleaseLineEnd();
        if (form.HasFlag(MboxForm.NoFinalLineEnd))
            heldLineEnd = carriageReturns;
        else
            AppendLineEnd(carriageReturns);
    }

    protected override void OnLineEnd()
    {
        skippedBefore = skipping;
        skipping = sawEscape = false;
        quotes = 0;
    }

    private int DecideField(ReadOnlySpan<byte> start)
    {
        if (MetadataNames.StartsWithEscape(start))
        {
            if (sawEscape)
                Write(heldEscape);
            sawEscape = true;
            start[..heldEscape.Length].CopyTo(heldEscape);
            return heldEscape.Length;
        }

        var isName = MetadataNames.StartsWithName(start);
        if (!sawEscape)
            skipping = isName || (skippedBefore && start[0] is (byte)' ' or (byte)'\t');
        else if (!isName || !MetadataNames.Escape.SequenceEqual(heldEscape))
            Write(heldEscape);
        return -1;
    }

    private void ReleaseLineEnd()
    {
        if (heldLineEnd is not { } carriageReturns)
            return;
        heldLineEnd = null;
        AppendLineEnd(carriageReturns);
    }

    private void AppendLineEnd(long carriageReturns)
    {
        var bare = form.HasFlag(MboxForm.Exchanged) ? carriageReturns > 0 : carriageReturns > 1;
        Output.Append(bare ? "\n"u8 : "\r\n"u8);
    }
}
