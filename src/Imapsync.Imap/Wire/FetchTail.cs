using System.Buffers;
using System.Text;

namespace Imapsync.Imap.Wire;

/// <summary>
/// Checks the text that follows a whole message's octets: it must be <c>)</c>, or further items and then <c>)</c>. Anything else means that
/// the announced length was wrong. Then nobody knows where the next reply begins.
/// </summary>
internal static class FetchTail
{
    public const string Lost = "what follows a message's octets is not the rest of a reply: the length that the server announced was wrong";

    private static readonly SearchValues<byte> ItemOctets = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"u8);

    /// <summary>Whether the text can be the rest of a FETCH reply.</summary>
    /// <param name="rest">Everything in the reply after the body, or only the first line of that, with its line end.</param>
    public static bool IsPlausible(ReadOnlySpan<byte> rest)
    {
        var isFirstLine = LiteralMarker.TryParse(rest[..(rest.IndexOf((byte)'\n') + 1)], out _, out _);
        if (rest.IsEmpty || rest[0] is not ((byte)' ' or (byte)')'))
            return false;
        var tokens = new Tokenizer(rest);
        while (true)
        {
            var name = tokens.Next();
            if (name.Kind == TokenKind.Close)
                return tokens.Rest.TrimStart((byte)' ').Trim("\r\n"u8).IsEmpty;
            // A second whole message belongs to another reply, so the announced length was too long and reached into that reply.
            if (name.Kind != TokenKind.Atom || !IsItem(name.Raw) || Ascii.EqualsIgnoreCase(name.Raw, "BODY[]"u8))
                return false;
            var value = tokens.Next();
            // The reply continues after another literal, and everything up to that literal is plausible.
            if (isFirstLine && (value.Kind == TokenKind.End || value.Raw.StartsWith("{"u8) || value.Raw.StartsWith("~{"u8)))
                return true;
            if (value.Kind is TokenKind.End or TokenKind.Close)
                return false;
            if (value.Kind == TokenKind.Open)
                tokens.SkipList();
        }
    }

    /// <summary>
    /// Whether the word can be an item name: a known name in any case, or any word in upper case. Mail text rarely passes,
    /// because it has few words in upper case.
    /// </summary>
    private static bool IsItem(ReadOnlySpan<byte> name)
    {
        var word = name.IndexOfAny((byte)'[', (byte)'<') is >= 0 and var at ? name[..at] : name;
        if (Ascii.EqualsIgnoreCase(word, "UID"u8) || Ascii.EqualsIgnoreCase(word, "FLAGS"u8) || Ascii.EqualsIgnoreCase(word, "BODY"u8)
            || Ascii.EqualsIgnoreCase(word, "MODSEQ"u8) || Ascii.EqualsIgnoreCase(word, "INTERNALDATE"u8) || Ascii.EqualsIgnoreCase(word, "RFC822.SIZE"u8))
        {
            return true;
        }

        return word.Length > 0 && word[0] is >= (byte)'A' and <= (byte)'Z'
            && word.IndexOfAnyExcept(ItemOctets) < 0;
    }
}
