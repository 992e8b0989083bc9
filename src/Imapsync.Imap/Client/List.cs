using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>LIST without extensions.</summary>
    public Task<IReadOnlyCollection<ListedFolder>> ListAsync(string reference, string pattern, CancellationToken cancellationToken) =>
        ListAsync(ListForm.Plain, reference, pattern, cancellationToken);

    /// <summary>LIST with subscriptions and special use (LIST-EXTENDED), and with counters if the server offers LIST-STATUS.</summary>
    public Task<IReadOnlyCollection<ListedFolder>> ListExtendedAsync(string reference, string pattern, CancellationToken cancellationToken) =>
        ListAsync(ListForm.Extended, reference, pattern, cancellationToken);

    public Task<IReadOnlyCollection<ListedFolder>> XListAsync(string reference, string pattern, CancellationToken cancellationToken) =>
        ListAsync(ListForm.XList, reference, pattern, cancellationToken);

    /// <summary>LSUB: the subscribed names, some of which may not exist.</summary>
    public Task<IReadOnlyCollection<ListedFolder>> ListSubscribedAsync(string reference, string pattern, CancellationToken cancellationToken) =>
        ListAsync(ListForm.Subscribed, reference, pattern, cancellationToken);

    private async Task<IReadOnlyCollection<ListedFolder>> ListAsync(
        ListForm form, string reference, string pattern, CancellationToken cancellationToken)
    {
        var command = new ListCommand(form, reference, pattern, Capabilities, options.Limits);
        await connection.ExecuteAsync(command, cancellationToken);
        return command.Folders;
    }
}

/// <summary>One LIST reply.</summary>
/// <param name="WireName">The name, one character for each octet; send it back exactly like this.</param>
/// <param name="Delimiter">The hierarchy delimiter; null for a flat name.</param>
/// <param name="Attributes">Compared without regard to case.</param>
/// <param name="Status">Null unless LIST-STATUS reported the folder's counters.</param>
public sealed record ListedFolder(string WireName, char? Delimiter, IReadOnlySet<string> Attributes, FolderCounters? Status);

internal enum ListForm
{
    /// <summary>LIST (RFC 9051 §6.3.9), plain.</summary>
    Plain,

    /// <summary>LIST … RETURN (RFC 5258), with SUBSCRIBED, CHILDREN and whatever else the server offers.</summary>
    Extended,

    /// <summary>LSUB (RFC 3501 §6.3.9).</summary>
    Subscribed,

    /// <summary>XLIST, Gmail's command for special-use folders before RFC 6154.</summary>
    XList,
}

/// <summary>Lists folders by LIST, LSUB or XLIST, as <paramref name="form"/> selects.</summary>
internal sealed class ListCommand(ListForm form, string reference, string pattern, ImapCapabilities offered, ImapLimits limits) : ImapCommand
{
    private readonly Dictionary<string, ListedFolder> folders = [];

    public override string Name => form switch { ListForm.Subscribed => "LSUB", ListForm.XList => "XLIST", _ => "LIST" };

    /// <summary>The listed folders; each wire name appears once.</summary>
    public IReadOnlyCollection<ListedFolder> Folders => folders.Values;

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text(Name + " ");
        if (!await writer.StringAsync(reference))
            return;
        writer.Text(" ");
        if (await writer.StringAsync(pattern) && form == ListForm.Extended)
        {
            writer.Text(" RETURN (SUBSCRIBED CHILDREN");
            if (offered.HasSpecialUse)
                writer.Text(" SPECIAL-USE");
            if (offered.HasListStatus)
                writer.Text($" STATUS ({StatusCommand.Items(offered)})");
            writer.Text(")");
        }
    }

    public override bool OnUntagged(ref ImapResponse response)
    {
        if (response.Is("STATUS"u8) && form == ListForm.Extended)
        {
            var name = response.Arguments.Next();
            if (name.IsString && folders.TryGetValue(name.ToLatin1(), out var folder))
                folders[folder.WireName] = folder with { Status = StatusCommand.Read(ref response.Arguments) };
            return true;
        }

        if (!(response.Is("LIST"u8) || response.Is("LSUB"u8) || response.Is("XLIST"u8)))
            return false;
        if (Read(ref response.Arguments) is { } listed)
        {
            if (folders.Count >= limits.MaxFolders)
                throw new ImapProtocolException($"the server listed more than {limits.MaxFolders} folders");
            folders[listed.WireName] = listed;
        }

        return true;
    }

    /// <summary>Reads a delimiter. NIL and <c>""</c> both mean that there is none, so null is returned.</summary>
    public static char? Delimiter(Token token)
    {
        if (token.IsNil || !token.IsString)
            return null;
        var text = token.ToLatin1();
        return text.Length == 0 ? null : text[0];
    }

    private ListedFolder? Read(ref Tokenizer tokens)
    {
        var attributes = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        if (tokens.Next().Kind == TokenKind.Open)
        {
            for (var token = tokens.Next(); token.Kind is not (TokenKind.Close or TokenKind.End) && attributes.Count < limits.MaxShortList; token = tokens.Next())
            {
                if (token.IsString)
                    attributes.Add(token.ToLatin1());
            }
        }

        var delimiter = ReadDelimiter(ref tokens);
        var rest = LiteralMarker.TrimLineEnd(tokens.Rest).TrimStart((byte)' ');
        var name = tokens.Next();
        if (!name.IsString)
            return null;

        // Another word follows the name, so the server sent unquoted blanks or unescaped quotes: take the rest of the line as the name.
        // After a well-formed name only a parenthesised list may follow.
        if (name.Kind != TokenKind.Literal && tokens.Peek().Kind is not (TokenKind.End or TokenKind.Open))
            name = WholeLine(name.Kind, rest);
        return new ListedFolder(name.ToLatin1(), delimiter, attributes, null);
    }

    private static char? ReadDelimiter(ref Tokenizer tokens)
    {
        // hMailServer uses a backslash as the delimiter, and some servers do not escape it inside the quotes.
        if (!tokens.Rest.TrimStart((byte)' ').StartsWith("\"\\\" "u8))
            return Delimiter(tokens.Next());
        tokens.Skip(tokens.Rest.IndexOf((byte)'"') + 3);
        return '\\';
    }

    private static Token WholeLine(TokenKind kind, ReadOnlySpan<byte> rest)
    {
        if (kind != TokenKind.Quoted)
            return new Token(TokenKind.Atom, rest);
        var end = rest.LastIndexOf((byte)'"');
        return new Token(TokenKind.Quoted, rest[1..Math.Max(1, end)]);
    }
}
