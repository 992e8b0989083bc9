namespace Imapsync.Serving.Mime;

/// <summary>
/// One address of an ENVELOPE (RFC 9051 §7.5.2). An address whose host is null begins a group; one with all parts null ends it.
/// </summary>
internal readonly record struct MailAddress(byte[]? Name, byte[]? Route, byte[]? Mailbox, byte[]? Host);

/// <summary>How many addresses may still be sent for one message, counting all its address fields and those of embedded messages.</summary>
internal sealed class AddressBudget(ServingLimits limits)
{
    private int left = limits.Addresses;

    public bool TrySpend() => left-- > 0;
}

/// <summary>
/// Reads an address field (RFC 5322 §3.4, with §4.4) without decoding anything. Never fails: text that is not an address
/// becomes a mailbox or a display name.
/// </summary>
internal static class AddressList
{
    // A missing mailbox or host is not sent as NIL, because NIL would mean the start or end of a group (RFC 9051 §7.5.2).
    private static readonly byte[] MissingMailbox = "MISSING_MAILBOX"u8.ToArray();
    private static readonly byte[] MissingHost = "MISSING_DOMAIN"u8.ToArray();

    /// <summary>Adds the field's addresses to the list, as far as the budget allows.</summary>
    public static void Parse(ReadOnlySpan<byte> field, List<MailAddress> addresses, AddressBudget budget)
    {
        using var spaced = new MemoryStream();
        using var joined = new MemoryStream();
        var tokens = new HeaderTokens(field);
        tokens.SkipBlanksAndComments();
        var isInGroup = false;
        while (!tokens.IsAtEnd)
        {
            var start = tokens.At;
            tokens.Comment = null;
            if (tokens.TrySkip(','))
                continue;
            if (!budget.TrySpend())
                break;
            if (tokens.TrySkip(';'))
            {
                if (isInGroup)
                    addresses.Add(default);
                isInGroup = false;
                continue;
            }

            var (words, local) = Phrase(ref tokens, spaced, joined, out var count);
            if (!isInGroup && tokens.TrySkip(':'))
            {
                addresses.Add(new MailAddress(null, null, words, null));
                isInGroup = true;
            }
            else if (tokens.TrySkip('<'))
            {
                addresses.Add(InBrackets(ref tokens, words, spaced, joined));
            }
            else if (tokens.TrySkip('@'))
            {
                var host = Domain(ref tokens, ",;<"u8);
                // Text that follows an address without a comma is not an address, so skip it.
                tokens.Until(",;"u8);
                addresses.Add(new MailAddress(Name(tokens.Comment), null, Or(local, MissingMailbox), Or(host, MissingHost)));
            }
            else if (local.Length > 0)
            {
                // A single word is a local mailbox, as daemons write it; several words are a person's name.
                addresses.Add(count == 1 ? new MailAddress(Name(tokens.Comment), null, local, MissingHost) : new MailAddress(words, null, MissingMailbox, MissingHost));
            }

            // The octet here can't be parsed, so skip it to make progress.
            if (tokens.At == start)
                tokens.At++;
        }

        if (isInGroup)
            addresses.Add(default);
    }

    private static MailAddress InBrackets(ref HeaderTokens tokens, byte[] name, MemoryStream spaced, MemoryStream joined)
    {
        byte[]? route = null;
        if (!tokens.IsAtEnd && tokens.Current == '@')
        {
            route = tokens.Until(":>"u8).ToArray();
            tokens.TrySkip(':');
        }

        var (_, local) = Phrase(ref tokens, spaced, joined, out _);
        var host = tokens.TrySkip('@') ? Domain(ref tokens, ">,"u8) : [];
        if (!tokens.TrySkip('>'))
        {
            tokens.Until(">,"u8);
            tokens.TrySkip('>');
        }

        return new MailAddress(name.Length == 0 ? null : name, route, Or(local, MissingMailbox), Or(host, MissingHost));
    }

    /// <summary>
    /// Reads words up to a delimiter. Returns them joined by blanks (a person's name) and joined without blanks (a local part).
    /// </summary>
    /// <param name="spaced">A work buffer, like <paramref name="joined"/>; its content is overwritten.</param>
    /// <param name="count">The number of words.</param>
    private static (byte[] Spaced, byte[] Joined) Phrase(ref HeaderTokens tokens, MemoryStream spaced, MemoryStream joined, out int count)
    {
        count = 0;
        spaced.SetLength(0);
        joined.SetLength(0);
        while (!tokens.IsAtEnd && tokens.Current is not ((byte)'<' or (byte)'>' or (byte)',' or (byte)':' or (byte)';' or (byte)'@'))
        {
            count++;
            var word = tokens.Current == '"' ? tokens.QuotedString() : Atom(ref tokens);
            if (spaced.Length > 0)
                spaced.WriteByte((byte)' ');
            spaced.Write(word);
            joined.Write(word);
        }

        return (spaced.ToArray(), joined.ToArray());
    }

    private static byte[] Atom(ref HeaderTokens tokens)
    {
        var start = tokens.At;
        var word = tokens.Until(" \t\r\n\0()<>,:;@\""u8).ToArray();
        if (tokens.At == start)
            tokens.At++;
        tokens.SkipBlanksAndComments();
        return word;
    }

    private static byte[] Domain(ref HeaderTokens tokens, ReadOnlySpan<byte> ends)
    {
        using var host = new MemoryStream();
        while (!tokens.IsAtEnd && ends.IndexOf(tokens.Current) < 0)
        {
            var atom = Atom(ref tokens);
            if (host.Length > 0 && atom is not [(byte)'.', ..])
                break;
            host.Write(atom);
        }

        return host.ToArray();
    }

    private static byte[]? Name(string? comment) => string.IsNullOrEmpty(comment) ? null : System.Text.Encoding.Latin1.GetBytes(comment);

    private static byte[] Or(byte[] octets, byte[] otherwise) => octets.Length > 0 ? octets : otherwise;
}
