using Imapsync.Imap.Commands;

namespace Imapsync.Imap;

public enum NamespaceKind
{
    Personal,
    Others,
    Shared,
}

/// <param name="Prefix">As on the wire, one character an octet; with its trailing delimiter as a rule.</param>
public sealed record ImapNamespace(NamespaceKind Kind, string Prefix, char? Delimiter);

/// <summary>One LIST reply.</summary>
/// <param name="WireName">The name as it came, one character an octet; send it back like this and no other way.</param>
/// <param name="Delimiter">Null for a flat name.</param>
/// <param name="Attributes">Without regard to case.</param>
/// <param name="Status">Where LIST-STATUS gave it.</param>
public sealed record ListedFolder(string WireName, char? Delimiter, IReadOnlySet<string> Attributes, FolderCounters? Status);

/// <summary>A folder's counters from STATUS or SELECT; 0 and null where the server said nothing sensible.</summary>
public sealed record FolderCounters(
    long Messages = 0, Uid UidNext = default, UidValidity UidValidity = default, long? Unseen = null, ModSeq? HighestModSeq = null, string? MailboxId = null)
{
    /// <summary>False where the number of messages was not told by STATUS.</summary>
    public bool TellsMessages { get; init; }

    /// <summary>Octets a message may have here (RFC 7889), where STATUS says.</summary>
    public long? AppendLimit { get; init; }
}

/// <param name="PermanentFlags">Flags that can be stored; null where the server did not say, which means all (RFC 9051 §7.1).</param>
public sealed record SelectedFolder(FolderCounters Counters, bool IsReadOnly, FlagSet? PermanentFlags, bool AllowsNewKeywords)
{
    /// <summary>The server said how many messages there are (EXISTS); else the counters have 0.</summary>
    public bool TellsMessages { get; init; } = true;
}

/// <param name="InternalDate">Default where not asked for or not a date.</param>
/// <param name="Size">Octets; -1 where not asked for or not a number.</param>
public readonly record struct FetchedMessage(Uid Uid, FlagSet Flags, DateTimeOffset InternalDate, long Size);

/// <summary>What Gmail tells of a message besides (X-GM-EXT-1).</summary>
/// <param name="MessageId">X-GM-MSGID: one number for the message, whatever folders it is seen in. Never 0.</param>
/// <param name="Labels">X-GM-LABELS as on the wire, in modified UTF-7; those with a backslash are Gmail's own. The selected folder's label is not among them.</param>
public readonly record struct FetchedLabels(Uid Uid, ulong MessageId, IReadOnlyList<string> Labels);

/// <summary>Rights of one identifier: letters as the server has them (RFC 4314 §2.1, or RFC 2086).</summary>
/// <param name="Identifier">UTF-8, one character an octet; behind a <c>-</c> it is denied the rights.</param>
public readonly record struct AclEntry(string Identifier, string Rights);

/// <param name="Name">STORAGE (in units of 1024 octets), MESSAGE …</param>
public sealed record QuotaResource(string Root, string Name, long Usage, long Limit);

/// <summary>A message to append.</summary>
/// <param name="Length">Octets <paramref name="Body"/> gives, exactly.</param>
/// <param name="InternalDate">Null: now, by the server's clock.</param>
public sealed record OutgoingMessage(FlagSet Flags, DateTimeOffset? InternalDate, long Length, System.IO.Pipelines.PipeReader Body)
{
    /// <summary>Wait for <c>+</c> even where it is not needed: then a BAD to the message does not cost the connection.</summary>
    public bool AskFirst { get; init; }
}

/// <summary>What came of an APPEND.</summary>
/// <param name="Reply">OK, or the refusal: all of the window is in the folder, or none of it should be.</param>
/// <param name="Taken">How many messages were taken from the window; fewer than it has after a refusal.</param>
/// <param name="Uids">Those assigned, in the order of the window; null where the server did not say.</param>
public sealed record AppendResult(StatusReply Reply, int Taken, UidValidity UidValidity, UidSet? Uids);

/// <summary>A message whose octets are written and whose answer may be still to come.</summary>
public readonly struct StartedAppend
{
    internal StartedAppend(AppendCommand command) => Command = command;

    /// <summary>The answer is there, or will never come.</summary>
    public bool IsAnswered => Command.Completion.IsCompleted;

    internal AppendCommand Command { get; }
}
