using System.Text;

namespace Imapsync.Imap.Wire;

/// <summary>Those items of one FETCH reply that this client uses, in any order; other items are skipped.</summary>
internal struct FetchItems
{
    // An earlier date is not the message's date but the zero of some clock (1899, 1904, 1970), so it is ignored.
    private static readonly DateTimeOffset FirstDate = new(1970, 1, 2, 0, 0, 0, TimeSpan.Zero);

    public Uid Uid;
    public FlagSet? Flags;
    public DateTimeOffset? InternalDate;

    /// <summary>The size in octets; -1 if missing or invalid.</summary>
    public long Size;
    public ModSeq? ModSeq;

    /// <summary>Whether the reply contains a body section. Its octets are in <see cref="Body"/> unless they were streamed or NIL.</summary>
    public bool HasBody;
    public bool IsBodyStreamed;

    /// <summary>A body sent as a quoted string or as a second literal; null for NIL.</summary>
    public byte[]? Body;

    /// <param name="arguments">The tokens after FETCH.</param>
    public static FetchItems Read(Tokenizer arguments, FlagReader flags)
    {
        var items = new FetchItems { Size = -1 };
        if (arguments.Next().Kind != TokenKind.Open)
            return items;
        while (true)
        {
            var name = arguments.Next();
            if (name.Kind is TokenKind.End or TokenKind.Close)
                return items;
            if (name.Kind != TokenKind.Atom)
                continue;
            if (name.Is("FLAGS"u8))
                items.Flags = flags.Read(ref arguments);
            else if (name.Is("UID"u8))
                items.Uid = new Uid(WireNumber.Parse32(arguments.Next().Raw));
            else if (name.Is("RFC822.SIZE"u8))
                items.Size = WireNumber.TryParse(arguments.Next().Raw, out long size) && size >= 0 ? size : -1;
            else if (name.Is("INTERNALDATE"u8))
                items.InternalDate = ImapDate.TryParse(arguments.Next().Raw, out var date) && date >= FirstDate ? date : null;
            else if (name.Is("MODSEQ"u8))
                items.ModSeq = ReadModSeq(ref arguments);
            else if (name.Raw.Length > 5 && Ascii.EqualsIgnoreCase(name.Raw[..5], "BODY["u8))
                items.ReadBody(arguments.Next());
            else
                arguments.SkipValue();
        }
    }

    /// <summary>Finds only the UID in a FETCH reply, which may be incomplete because it ends where a body's literal begins.</summary>
    public static Uid FindUid(ReadOnlySpan<byte> frame, int bodyAt, ImapLimits limits)
    {
        var response = ImapResponse.Parse(frame, bodyAt, limits);
        if (!response.Is("FETCH"u8) || response.Arguments.Next().Kind != TokenKind.Open)
            return Uid.None;
        while (true)
        {
            var name = response.Arguments.Next();
            if (name.Kind is TokenKind.End or TokenKind.Close)
                return Uid.None;
            if (name.Is("UID"u8))
                return new Uid(WireNumber.Parse32(response.Arguments.Next().Raw));
            response.Arguments.SkipValue();
        }
    }

    private static ModSeq? ReadModSeq(ref Tokenizer arguments)
    {
        var value = arguments.Next();
        if (value.Kind != TokenKind.Open)
            return WireNumber.ParseModSeq(value.Raw);
        var modSeq = WireNumber.ParseModSeq(arguments.Peek().Raw);
        arguments.SkipList();
        return modSeq;
    }

    private void ReadBody(Token value)
    {
        HasBody = true;
        IsBodyStreamed = value.Kind == TokenKind.StreamedBody;
        if (value.IsString && !value.IsNil)
            Body = value.ToOctets();
    }
}
