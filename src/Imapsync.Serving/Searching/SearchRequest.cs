using System.Globalization;
using System.Text;
using Imapsync.Imap;
using Imapsync.Serving.Wire;

namespace Imapsync.Serving.Searching;

/// <summary>The results that an ESEARCH should return (RFC 4731).</summary>
[Flags]
internal enum SearchReturn
{
    None = 0,
    Min = 1,
    Max = 2,
    All = 4,
    Count = 8,
}

/// <param name="Return">The results that RETURN requests (RFC 4731), such as MIN or COUNT; none for a SEARCH without RETURN.</param>
internal sealed record SearchRequest(SearchKey Key, SearchReturn Return)
{
    public static SearchRequest Parse(CommandText command, ServingLimits limits)
    {
        var returns = SearchReturn.None;
        if (command.TryWord("RETURN"))
        {
            command.Skip(' ');
            returns = ParseReturn(command);
            command.Skip(' ');
        }

        var isUtf8 = true;
        if (command.TryWord("CHARSET"))
        {
            command.Skip(' ');
            var charset = command.AString().ToUpperInvariant();
            if (charset is not ("UTF-8" or "US-ASCII" or "ISO-8859-1"))
                throw new RefusalException("search in UTF-8", "BADCHARSET (UTF-8 US-ASCII ISO-8859-1)");
            isUtf8 = charset != "ISO-8859-1";
            command.Skip(' ');
        }

        var parser = new Parser(command, limits, isUtf8);
        var key = parser.Keys(0, isInParentheses: false);
        command.End();
        return new SearchRequest(key, returns);
    }

    private static SearchReturn ParseReturn(CommandText command)
    {
        command.Skip('(');
        var returns = SearchReturn.None;
        while (!command.TrySkip(')'))
        {
            returns |= command.Word() switch
            {
                "MIN" => SearchReturn.Min,
                "MAX" => SearchReturn.Max,
                "ALL" => SearchReturn.All,
                "COUNT" => SearchReturn.Count,
                _ => throw new CommandException("a search returns MIN, MAX, ALL and COUNT"),
            };
            command.TrySkip(' ');
        }

        return returns == SearchReturn.None ? SearchReturn.All : returns;
    }

    private sealed class Parser(CommandText command, ServingLimits limits, bool isUtf8)
    {
        private int count;

        public SearchKey Keys(int depth, bool isInParentheses)
        {
            var keys = new List<SearchKey>();
            do
            {
                keys.Add(Key(depth));
            }
            while (command.TrySkip(' '));
            if (isInParentheses)
                command.Skip(')');
            // Test the cheapest keys first, so that most messages are rejected early; keys of equal cost stay in the client's order.
            return keys.Count == 1 ? keys[0] : new AllKeys([.. keys.OrderBy(k => k.Cost)]);
        }

        private SearchKey Key(int depth)
        {
            if (++count > limits.SearchKeys)
                throw new CommandException("too many search keys");
            if (depth > limits.SearchDepth)
                throw new CommandException("search keys are too deep inside one another");
            if (command.TrySkip('('))
                return Keys(depth + 1, isInParentheses: true);
            if (command.PeekSet())
                return new SetKey(command.Set(), ByUid: false);
            var word = command.Word();
            return word switch
            {
                "ALL" or "OLD" => new AllKeys([]),
                "RECENT" or "NEW" => new NoneKey(),
                "ANSWERED" => new FlagKey(MessageFlags.Answered, null),
                "DELETED" => new FlagKey(MessageFlags.Deleted, null),
                "DRAFT" => new FlagKey(MessageFlags.Draft, null),
                "FLAGGED" => new FlagKey(MessageFlags.Flagged, null),
                "SEEN" => new FlagKey(MessageFlags.Seen, null),
                "UNANSWERED" => new NotKey(new FlagKey(MessageFlags.Answered, null)),
                "UNDELETED" => new NotKey(new FlagKey(MessageFlags.Deleted, null)),
                "UNDRAFT" => new NotKey(new FlagKey(MessageFlags.Draft, null)),
                "UNFLAGGED" => new NotKey(new FlagKey(MessageFlags.Flagged, null)),
                "UNSEEN" => new NotKey(new FlagKey(MessageFlags.Seen, null)),
                "KEYWORD" => new FlagKey(MessageFlags.None, Argument(static c => c.Atom())),
                "UNKEYWORD" => new NotKey(new FlagKey(MessageFlags.None, Argument(static c => c.Atom()))),
                "UID" => new SetKey(Argument(static c => c.Set()), ByUid: true),
                "LARGER" => new SizeKey(Argument(static c => c.Number64()), IsLarger: true),
                "SMALLER" => new SizeKey(Argument(static c => c.Number64()), IsLarger: false),
                "BEFORE" => new DateKey(Day(), -1, IsSent: false),
                "ON" => new DateKey(Day(), 0, IsSent: false),
                "SINCE" => new DateKey(Day(), 1, IsSent: false),
                "SENTBEFORE" => new DateKey(Day(), -1, IsSent: true),
                "SENTON" => new DateKey(Day(), 0, IsSent: true),
                "SENTSINCE" => new DateKey(Day(), 1, IsSent: true),
                "BCC" or "CC" or "FROM" or "SUBJECT" or "TO" => new HeaderKey(word, Text()),
                "HEADER" => new HeaderKey(Argument(static c => c.AString()), Text()),
                "BODY" => new TextKey(Text(), WithHeader: false),
                "TEXT" => new TextKey(Text(), WithHeader: true),
                "NOT" => new NotKey(Inner(depth)),
                "OR" => new AnyKey(Inner(depth), Inner(depth)),
                _ => throw new CommandException("there is no such search key"),
            };
        }

        private SearchKey Inner(int depth)
        {
            command.Skip(' ');
            return Key(depth + 1);
        }

        private T Argument<T>(Func<CommandText, T> read)
        {
            command.Skip(' ');
            return read(command);
        }

        private string Text()
        {
            command.Skip(' ');
            var octets = command.AString();
            return isUtf8 ? Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(octets)) : octets;
        }

        private DateOnly Day()
        {
            var text = Argument(static c => c.AString());
            return DateOnly.TryParseExact(text, "d-MMM-yyyy", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
                ? day
                : throw new CommandException("a date is written as 31-Jan-2020");
        }
    }
}
