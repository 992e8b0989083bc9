using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>STATUS of one folder; null if the server answered OK without reporting any counters.</summary>
    public async Task<FolderCounters?> StatusAsync(string wireName, CancellationToken cancellationToken)
    {
        var command = new StatusCommand(wireName, Capabilities);
        await connection.ExecuteAsync(command, cancellationToken);
        return command.Result;
    }
}

/// <summary>A folder's counters from STATUS or SELECT; 0 or null if the server reported no valid value.</summary>
public sealed record FolderCounters(
    long Messages = 0, Uid UidNext = default, UidValidity UidValidity = default, long? Unseen = null, ModSeq? HighestModSeq = null, string? MailboxId = null)
{
    /// <summary>False if STATUS did not report the number of messages.</summary>
    public bool TellsMessages { get; init; }

    /// <summary>The most octets a message may have in this folder (RFC 7889); null if STATUS does not report it.</summary>
    public long? AppendLimit { get; init; }
}

/// <summary>STATUS (RFC 9051 §6.3.11).</summary>
internal sealed class StatusCommand(string wireName, ImapCapabilities offered) : ImapCommand
{
    public override string Name => "STATUS";

    public FolderCounters? Result { get; private set; }

    /// <summary>
    /// The STATUS items to request. UNSEEN is left out where HIGHESTMODSEQ is available, because HIGHESTMODSEQ changes whenever UNSEEN does.
    /// </summary>
    public static string Items(ImapCapabilities offered) =>
        "MESSAGES UIDNEXT UIDVALIDITY" + (offered.HasCondStore ? " HIGHESTMODSEQ" : " UNSEEN") + (offered.HasObjectId ? " MAILBOXID" : "");

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("STATUS ");
        if (await writer.StringAsync(wireName))
            writer.Text($" ({Items(offered)}{(offered.HasAppendLimitPerFolder ? " APPENDLIMIT" : "")})");
    }

    public override bool OnUntagged(ref ImapResponse response)
    {
        // Several STATUS commands may be in flight, and their replies may come in any order (RFC 9051 §5.5). The folder name shows whether
        // the reply answers this command.
        if (!response.Is("STATUS"u8) || response.Arguments.Next() is not { IsString: true } name || !name.ToLatin1().Equals(wireName, StringComparison.OrdinalIgnoreCase))
            return false;
        Result = Read(ref response.Arguments);
        return true;
    }

    /// <summary>
    /// Accepts a STATUS reply whose folder name matches no command in flight, because the server spelled the name differently. The reply is
    /// taken as the answer to the oldest command in flight.
    /// </summary>
    public override void OnUnclaimed(ref ImapResponse response)
    {
        if (Result is null && response.Is("STATUS"u8) && response.Arguments.Next().IsString)
            Result = Read(ref response.Arguments);
    }

    /// <summary>Returns the object ID; null if it is missing or invalid, e.g. longer than 255 characters (RFC 8474 §7).</summary>
    public static string? ObjectId(string? text) => text is { Length: > 0 and <= 255 } ? text : null;

    public static FolderCounters Read(ref Tokenizer tokens)
    {
        var counters = new FolderCounters();
        // Words before the list belong to a folder name with unquoted blanks, so skip them.
        var open = tokens.Next();
        while (open.Kind is TokenKind.Atom)
            open = tokens.Next();
        if (open.Kind != TokenKind.Open)
            return counters;
        for (var item = tokens.Next(); item.Kind is not (TokenKind.Close or TokenKind.End); item = tokens.Next())
        {
            if (item.Is("MAILBOXID"u8))
            {
                if (tokens.Next().Kind == TokenKind.Open)
                {
                    counters = counters with { MailboxId = ObjectId(tokens.Peek().ToLatin1()) };
                    tokens.SkipList();
                }

                continue;
            }

            var value = tokens.Next();
            if (item.Is("MESSAGES"u8))
                counters = WireNumber.TryParse(value.Raw, out long n) && n >= 0 ? counters with { Messages = n, TellsMessages = true } : counters with { Messages = 0, TellsMessages = false };
            else if (item.Is("UIDNEXT"u8))
                counters = counters with { UidNext = new Uid(WireNumber.Parse32(value.Raw)) };
            else if (item.Is("UIDVALIDITY"u8))
                counters = counters with { UidValidity = WireNumber.ParseValidity(value.Raw) };
            else if (item.Is("UNSEEN"u8))
                counters = counters with { Unseen = WireNumber.TryParse(value.Raw, out long n) && n >= 0 ? n : null };
            else if (item.Is("HIGHESTMODSEQ"u8))
                counters = counters with { HighestModSeq = WireNumber.ParseModSeq(value.Raw) };
            else if (item.Is("APPENDLIMIT"u8))
                counters = counters with { AppendLimit = WireNumber.TryParse(value.Raw, out long n) && n >= 0 ? n : null };
            else if (value.Kind == TokenKind.Open)
                tokens.SkipList();
        }

        return counters;
    }
}
