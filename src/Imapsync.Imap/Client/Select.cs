using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>EXAMINE or SELECT, with CONDSTORE if the server offers it.</summary>
    public async Task<SelectedFolder> SelectAsync(string wireName, bool readOnly, CancellationToken cancellationToken)
    {
        var command = new SelectCommand(wireName, readOnly, Capabilities.HasCondStore, options.Limits);
        await connection.ExecuteAsync(command, cancellationToken);
        return command.Result;
    }
}

/// <param name="PermanentFlags">The flags that can be stored; null if the server did not say, which means all flags (RFC 9051 §7.1).</param>
public sealed record SelectedFolder(FolderCounters Counters, bool IsReadOnly, FlagSet? PermanentFlags, bool AllowsNewKeywords)
{
    /// <summary>Whether the server reported the number of messages (EXISTS); if not, the counters contain 0.</summary>
    public bool TellsMessages { get; init; } = true;
}

/// <summary>SELECT or EXAMINE (RFC 9051 §6.3.2), with CONDSTORE (RFC 7162 §3.1.8) if the server offers it.</summary>
internal sealed class SelectCommand(string wireName, bool readOnly, bool condStore, ImapLimits limits) : ImapCommand
{
    private readonly FlagReader flags = new(limits);
    private FolderCounters counters = new();
    private FlagSet? permanent;
    private bool? isReadOnly;
    private bool hasExists;
    private bool allowsNewKeywords = true;

    public override string Name => readOnly ? "EXAMINE" : "SELECT";

    public override CommandClass Class => CommandClass.ChangesSelection;

    public override long SelectedMessages => counters.Messages;

    public SelectedFolder Result => new(counters, isReadOnly ?? readOnly, permanent, allowsNewKeywords) { TellsMessages = hasExists };

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text(Name + " ");
        if (await writer.StringAsync(wireName) && condStore)
            writer.Text(" (CONDSTORE)");
    }

    public override bool OnUntagged(ref ImapResponse response)
    {
        if (response.Is("EXISTS"u8) && response.Number is { } count)
            (counters, hasExists) = (counters with { Messages = count }, true);
        return response.Is("FLAGS"u8) || response.Is("RECENT"u8) || response.Is("EXISTS"u8);
    }

    public override void OnStatus(StatusReply status) => Note(status);

    public override void OnTagged(StatusReply status) => Note(status);

    private void Note(StatusReply status)
    {
        if (status.Code is not { } code)
            return;
        switch (code.Kind)
        {
            case ResponseCodeKind.UidValidity:
                counters = counters with { UidValidity = code.Validity };
                break;
            case ResponseCodeKind.UidNext:
                counters = counters with { UidNext = new Uid(code.Number) };
                break;
            case ResponseCodeKind.HighestModSeq:
                counters = counters with { HighestModSeq = code.ModSeq };
                break;
            case ResponseCodeKind.MailboxId:
                counters = counters with { MailboxId = StatusCommand.ObjectId(code.Words.FirstOrDefault()) };
                break;
            case ResponseCodeKind.PermanentFlags:
                var tokens = new Tokenizer(System.Text.Encoding.Latin1.GetBytes(code.Arguments));
                permanent = flags.Read(ref tokens);
                allowsNewKeywords = code.Words.Contains("\\*");
                break;
            case ResponseCodeKind.ReadOnly:
                isReadOnly = true;
                break;
            case ResponseCodeKind.ReadWrite:
                isReadOnly = false;
                break;
        }
    }
}
