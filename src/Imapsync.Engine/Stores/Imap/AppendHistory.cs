using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// What earlier APPENDs to one folder have shown, such as whether the folder keeps flags and which messages the server refuses. Kept as
/// long as the store is open, even if connections are replaced.
/// </summary>
internal sealed class AppendHistory
{
    private const long MinTogetherBytes = 128 << 10;
    private const long MaxTogetherBytes = 64 << 20;

    /// <summary>
    /// The most octets that are sent with one command: lowered after a connection broke during such a command, raised with each command that
    /// succeeds.
    /// </summary>
    public long TogetherBytes { get; private set; } = MaxTogetherBytes;

    /// <summary>The server answered BAD to a message, so from now on no literal is sent before the server has asked for it.</summary>
    public bool AskFirst { get; set; }

    public AppendFlagSupport Flags { get; set; }

    public RefusalRow Row { get; } = new();

    public void ArrivedTogether() => TogetherBytes = Math.Min(MaxTogetherBytes, TogetherBytes * 2);

    public void BrokeOver(long bytes) => TogetherBytes = Math.Max(MinTogetherBytes, Math.Min(TogetherBytes, bytes) / 2);

    private Dictionary<MessageKey, MessageTrouble> Troubles { get; } = [];

    public MessageTrouble? Find(in MessageInfo message) => Troubles.GetValueOrDefault(new MessageKey(message));

    public MessageTrouble About(in MessageInfo message)
    {
        var key = new MessageKey(message);
        if (!Troubles.TryGetValue(key, out var trouble))
            Troubles.Add(key, trouble = new MessageTrouble());
        return trouble;
    }

    /// <summary>
    /// Identifies a source message. The UID alone does not suffice, since messages of several source folders may be copied to this target folder.
    /// </summary>
    private readonly record struct MessageKey(Uid Uid, long Size, DateTimeOffset Date)
    {
        public MessageKey(in MessageInfo message)
            : this(message.Uid, message.Size, message.InternalDate)
        {
        }
    }
}

/// <summary>How the next attempt to append a message sends it, after earlier attempts have failed.</summary>
internal sealed class MessageTrouble
{
    public FlagTrial Flags { get; set; }

    public MessageRepair Repair { get; set; }

    /// <summary>
    /// The message was sent in one command with others, and the server refused them all. So it is sent with a command of its own, to find
    /// out which of them the server refuses.
    /// </summary>
    public bool IsSingle { get; set; }

    /// <summary>The message was among those being sent when a connection broke.</summary>
    public bool IsSuspect { get; set; }

    /// <summary>How many connections broke while only this message was being sent.</summary>
    public int BrokenAlone { get; set; }

    /// <summary>The reason why the message is not sent again; null as long as it may be sent.</summary>
    public string? FinalWords { get; set; }
}

/// <summary>
/// Which of a message's flags are sent with APPEND. If the server refuses a message because of its flags, the next attempt sends fewer of them.
/// </summary>
internal enum FlagTrial
{
    All,

    /// <summary>
    /// Only keywords of letters, digits, <c>$</c>, <c>-</c> and <c>_</c> are sent, since some servers fail on dots and other characters.
    /// </summary>
    WithPlainKeywords,
    WithoutKeywords,

    /// <summary>No flags are sent with APPEND; they are set once the message is in the folder.</summary>
    WithoutFlags,
}

/// <summary>Whether a folder keeps the flags that are sent with APPEND.</summary>
internal enum AppendFlagSupport
{
    Unknown,
    Kept,

    /// <summary>The folder drops the flags of an APPEND, so they have to be set by a STORE after it (MailEnable, Outlook.com).</summary>
    SetAfterwards,

    /// <summary>The folder does not keep flags, not even those set by STORE: usually the user lacks the right.</summary>
    Never,
}
