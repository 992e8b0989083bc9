using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Checking;

/// <summary>The result of checking a job's source or target. The check changes nothing.</summary>
/// <param name="Failure">Why the side can't be used; null when it can.</param>
public sealed record SideCheck(Endpoint Endpoint, IReadOnlyList<StoreFact> Facts, MailException? Failure)
{
    /// <summary>Whether the store has labels, as in <see cref="StoreTraits.HasLabels"/>.</summary>
    public bool HasLabels { get; init; }
}

/// <summary>The result of checking a job's source and target.</summary>
/// <param name="Problems">The foreseeable obstacles to copying all of the job's mail.</param>
public sealed record AccountCheck(string Job, SideCheck Source, SideCheck Target, IReadOnlyList<string> Problems)
{
    /// <summary>The amount of mail; null when the folders could not be read.</summary>
    public MailboxSize? Size { get; init; }

    public bool IsOk => Source.Failure is null && Target.Failure is null && Problems.Count == 0;

    /// <summary>The reasons why the job can't be run, as a text for people; empty if it can be run.</summary>
    public string Reason => string.Join("; ",
        new[] { ("source", Source.Failure), ("target", Target.Failure) }.Where(s => s.Item2 is not null).Select(s => $"{s.Item1}: {s.Item2!.Message}").Concat(Problems));
}

/// <summary>The amount of mail in a job.</summary>
/// <param name="Folders">The number of source folders that take part.</param>
/// <param name="Messages">The number of messages in these folders.</param>
/// <param name="TargetMessages">The number of messages in the corresponding target folders; 0 when these don't exist yet.</param>
/// <param name="Bytes">The size of the source's messages in octets; null unless sizes were requested.</param>
/// <param name="TargetBytes">The size of the target's messages in octets; null unless sizes were requested.</param>
public sealed record MailboxSize(int Folders, long Messages, long TargetMessages, long? Bytes, long? TargetBytes)
{
    /// <summary>See <see cref="Folders.FolderMapping.UnmatchedText"/>.</summary>
    public string? UnmatchedRules { get; init; }

    /// <summary>The number of messages left to copy, assuming that the target's messages are copies of the source's.</summary>
    public long MessagesLeft { get; init; }

    public long? BytesLeft { get; init; }

    /// <summary>The number of folders, on both sides, whose message count is unknown. They are not included in the totals.</summary>
    public int Uncounted { get; init; }

    /// <summary>
    /// The number of messages, on both sides, whose size is unknown; they are not included in the octets. 0 unless sizes were requested.
    /// </summary>
    public long Unsized { get; init; }
}
