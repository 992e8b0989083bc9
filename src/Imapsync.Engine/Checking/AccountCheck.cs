using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Checking;

/// <summary>What a look at one side of a job found; it changes nothing.</summary>
/// <param name="Failure">Why it can't be used.</param>
public sealed record SideCheck(Endpoint Endpoint, IReadOnlyList<StoreFact> Facts, MailException? Failure)
{
    /// <summary>As <see cref="StoreTraits.HasLabels"/>.</summary>
    public bool HasLabels { get; init; }
}

/// <summary>What a look at both sides of a job found.</summary>
/// <param name="Problems">What keeps the job from bringing all of its mail over, as far as it can be seen before.</param>
public sealed record AccountCheck(string Job, SideCheck Source, SideCheck Target, IReadOnlyList<string> Problems)
{
    /// <summary>Null where the folders could not be looked at.</summary>
    public MailboxSize? Size { get; init; }
}

/// <summary>How much mail the job has to do with.</summary>
/// <param name="Folders">Source folders that take part.</param>
/// <param name="Messages">In them.</param>
/// <param name="TargetMessages">In the folders that they go to; 0 where there are none yet.</param>
/// <param name="Bytes">Of the source's messages; null unless sizes were asked for.</param>
/// <param name="TargetBytes">Of the target's; null as well.</param>
public sealed record MailboxSize(int Folders, long Messages, long TargetMessages, long? Bytes, long? TargetBytes)
{
    /// <summary>What is left to copy, if what lies at the target is the source's mail.</summary>
    public long MessagesLeft { get; init; }

    public long? BytesLeft { get; init; }

    /// <summary>Folders, of either side, that nothing tells the number of messages of: they are in no sum.</summary>
    public int Uncounted { get; init; }

    /// <summary>The same for messages and their octets; 0 unless sizes were asked for.</summary>
    public long Unsized { get; init; }
}
