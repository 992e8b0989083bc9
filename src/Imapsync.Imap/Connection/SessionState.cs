using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Connection;

/// <summary>What the server has reported about itself and about the selected folder, solicited or not.</summary>
internal sealed class SessionState(ImapLimits limits)
{
    /// <summary>The capabilities reported last; null after STARTTLS or log-in, until the server reports them again.</summary>
    public ImapCapabilities? Capabilities { get; set; }

    /// <summary>The last EXISTS, minus the messages expunged since then (servers need not repeat EXISTS, RFC 9051 §7.5.1).</summary>
    public long Exists { get; private set; }

    /// <summary>How many EXPUNGE replies the server has sent since the connection began.</summary>
    public long Expunged { get; private set; }

    /// <summary>How many commands were answered NO or BAD.</summary>
    public int Refusals { get; private set; }

    /// <summary>
    /// Called on the read loop for each untagged reply that reports a change and answers no command; must return quickly. Also called when
    /// the server stops its reports (NOTIFICATIONOVERFLOW, RFC 5465 §5.8).
    /// </summary>
    public Action<FolderNews>? OnNews { get; set; }

    /// <summary>Handles an untagged reply that no command in flight has accepted as part of its answer.</summary>
    public void OnUnclaimed(ref ImapResponse response)
    {
        if (OnNews is { } tell && NewsReader.Read(ref response) is { } news)
            tell(news);
    }

    /// <summary>Handles an untagged reply that the server may send at any time (RFC 9051 §7). The reply is also offered to the commands in flight.</summary>
    public void OnUnsolicited(ref ImapResponse response)
    {
        if (response.Is("CAPABILITY"u8))
            Capabilities = CapabilityList.Read(response.Arguments, limits);
        else if (response.Is("EXISTS"u8) && response.Number is { } count)
            Exists = count;
        else if (response.Is("EXPUNGE"u8))
            (Exists, Expunged) = (Math.Max(0, Exists - 1), Expunged + 1);
    }

    /// <summary>Handles a status reply, tagged or not.</summary>
    public void OnStatus(StatusReply status)
    {
        if (status.Code is { Kind: ResponseCodeKind.Capability } code)
            Capabilities = new ImapCapabilities(code.Words.Take(limits.MaxCapabilities));
        else if (status.Has(ResponseCodeKind.NotificationOverflow))
            OnNews?.Invoke(new FolderNews(FolderNewsKind.Overflow));
    }

    /// <summary>Handles the tagged reply to a command.</summary>
    public void OnAnswer(ImapCommand command, StatusReply status)
    {
        if (status.Kind is StatusKind.No or StatusKind.Bad)
            Refusals++;
        // A server may leave out EXISTS on SELECT, and then the previous folder's number must not be kept.
        if (command.Class == CommandClass.ChangesSelection)
            Exists = status.Kind == StatusKind.Ok ? command.SelectedMessages : 0;
    }
}
