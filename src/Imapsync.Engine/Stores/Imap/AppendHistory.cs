using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>What was learnt about appending to one folder; outlives the connections and lasts as long as the store is open.</summary>
internal sealed class AppendHistory
{
    private const long MinTogetherBytes = 128 << 10;
    private const long MaxTogetherBytes = 64 << 20;

    /// <summary>Octets that go with one command: less after a connection ended over it, more with each that arrives.</summary>
    public long TogetherBytes { get; private set; } = MaxTogetherBytes;

    /// <summary>BAD was said to a message: from now on nothing is sent ahead of an answer.</summary>
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

    /// <summary>Several source folders may have the same target, so the UID alone does not do.</summary>
    private readonly record struct MessageKey(Uid Uid, long Size, DateTimeOffset Date)
    {
        public MessageKey(in MessageInfo message)
            : this(message.Uid, message.Size, message.InternalDate)
        {
        }
    }
}

/// <summary>Why the next try with a message is made in another way.</summary>
internal sealed class MessageTrouble
{
    public FlagTrial Flags { get; set; }

    public MessageRepair Repair { get; set; }

    /// <summary>It was refused together with others: a command of its own tells which of them it was about.</summary>
    public bool IsSingle { get; set; }

    /// <summary>It was among the messages under way when a connection ended.</summary>
    public bool IsSuspect { get; set; }

    /// <summary>Connections that ended while nothing but this message was under way.</summary>
    public int BrokenAlone { get; set; }

    /// <summary>It is not sent again.</summary>
    public string? FinalWords { get; set; }
}

/// <summary>Which of a message's flags come with it. A message is never lost for a flag.</summary>
internal enum FlagTrial
{
    All,

    /// <summary>Keywords of letters, digits, <c>$</c>, <c>-</c> and <c>_</c> alone: servers choke on dots and the like.</summary>
    WithPlainKeywords,
    WithoutKeywords,

    /// <summary>They are set once the message is there.</summary>
    WithoutFlags,
}

/// <summary>Whether a folder keeps the flags that come with APPEND.</summary>
internal enum AppendFlagSupport
{
    Unknown,
    Kept,

    /// <summary>MailEnable, Outlook.com: an APPEND is followed by a STORE.</summary>
    SetAfterwards,

    /// <summary>Not even by STORE: the user lacks the right, as a rule.</summary>
    Never,
}
