using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// Decides whether a line that begins with <c>From </c> is a postmark. The lines before and after it are the best evidence. Programs write
/// many things after <c>From </c>, and people begin ordinary lines with it.
/// </summary>
internal sealed class PostmarkLines(MboxInput input)
{
    private const int FieldNameBytes = 200;

    /// <summary>Returns whether the line has a sender and a date, as nearly all postmarks do.</summary>
    public async ValueTask<bool> IsDatedAsync(long at, CancellationToken cancellationToken) =>
        await input.GetLineAsync(at, Postmark.MaxLength, cancellationToken) is { } line && Postmark.TryParse(line.Span, out _);

    public async ValueTask<bool> FollowsEmptyLineAsync(long at, CancellationToken cancellationToken)
    {
        var from = Math.Max(0, at - 3);
        var before = (await input.GetAsync(from, (int)(at - from), cancellationToken))[..(int)(at - from)];
        return before.Span.EndsWith("\n\n"u8) || before.Span.EndsWith("\n\r\n"u8);
    }

    /// <summary>
    /// Returns whether the next line is a header field, or an earlier hop's postmark, which some delivery programs keep after <c>&gt;</c>.
    /// </summary>
    public async ValueTask<bool> IsBeforeFieldAsync(long at, CancellationToken cancellationToken)
    {
        if (await input.GetLineAsync(at, Postmark.MaxLength, cancellationToken) is not { } line || !line.Span.StartsWith("From "u8))
            return false;
        var next = await input.GetAsync(at + line.Length + 1, FieldNameBytes, cancellationToken);
        return ForeignMail.StartsWithField(next.Span) || next.Span.StartsWith(">From "u8);
    }

    /// <summary>
    /// Returns whether a header field begins at this offset, or a line that looks like a postmark and is followed by a header field.
    /// </summary>
    public async ValueTask<bool> LooksLikeMailAsync(long at, CancellationToken cancellationToken)
    {
        if (await input.GetLineAsync(at, Postmark.MaxLength, cancellationToken) is not { } line)
            return false;
        if (ForeignMail.StartsWithField(line.Span))
            return true;
        if (!line.Span.StartsWith("From"u8))
            return false;
        var next = await input.GetAsync(at + line.Length + 1, FieldNameBytes, cancellationToken);
        return ForeignMail.StartsWithField(next.Span);
    }

    /// <summary>
    /// Returns whether the text after <c>From </c> looks written by a program: nothing, a dash, one word (an address), or a text with a
    /// time or a year. Sentences rarely continue like this.
    /// </summary>
    public async ValueTask<bool> LooksWrittenByProgramAsync(long at, CancellationToken cancellationToken)
    {
        if (await input.GetLineAsync(at, Postmark.MaxLength, cancellationToken) is not { } line)
            return false;
        var words = System.Text.Encoding.Latin1.GetString(line.Span[5..]).Split([' ', '\t', '\r', ','], StringSplitOptions.RemoveEmptyEntries);
        return words.Length < 2 || words[0] == "-" || words.Any(HasTimeOrYear);
    }

    private static bool HasTimeOrYear(string word)
    {
        for (var i = 1; i + 2 < word.Length; i++)
        {
            if (word[i] == ':' && char.IsAsciiDigit(word[i - 1]) && char.IsAsciiDigit(word[i + 1]) && char.IsAsciiDigit(word[i + 2]))
                return true;
        }

        return word.Length == 4 && word.All(char.IsAsciiDigit) && word[0] is '1' or '2';
    }
}
