using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Progress;

/// <summary>An event in a job. Events contain only values; text, JSON and dashboards are ways to present them.</summary>
public abstract record JobEvent(string Job);

public sealed record JobStarted(string Job, string Source, string Target, bool DryRun) : JobEvent(Job);

/// <summary>The folder pairs of the job are known.</summary>
/// <param name="Pairs">The number of folder pairs.</param>
/// <param name="Messages">The number of messages in their source folders.</param>
public sealed record FoldersPlanned(string Job, int Pairs, long Messages) : JobEvent(Job);

/// <summary>The work on a folder pair has started.</summary>
/// <param name="ToCopy">The number of messages to copy.</param>
/// <param name="ToCopyBytes">Their size in octets, as far as it is known.</param>
public sealed record FolderStarted(string Job, FolderPath Source, FolderPath Target, long ToCopy, long ToCopyBytes) : JobEvent(Job);

/// <summary>A batch of copied messages was committed, so they are safely at the target.</summary>
public sealed record MessagesCopied(string Job, FolderPath Source, int Count, long Bytes) : JobEvent(Job);

/// <summary>
/// A verification has compared some messages with the other store. The count is of source messages or, if the source is not opened, of
/// target messages.
/// </summary>
public sealed record MessagesVerified(string Job, FolderPath Source, int Count) : JobEvent(Job);

public sealed record FolderFinished(string Job, FolderReport Folder) : JobEvent(Job);

/// <summary>
/// A note that is not a failure, such as messages that were found at the target already, a changed UIDVALIDITY, or a keyword that the
/// target can't store.
/// </summary>
public sealed record NoteRaised(string Job, FolderPath? Folder, string Text) : JobEvent(Job);

public sealed record ProblemFound(string Job, Problem Problem) : JobEvent(Job);

/// <summary>The job waits before the next attempt.</summary>
public sealed record Waiting(string Job, Wait Wait) : JobEvent(Job);

/// <summary>
/// The job can't begin yet, because other jobs use connections that it needs. How long this takes is unknown; the next event of the job
/// ends it.
/// </summary>
public sealed record Queued(string Job, string Reason) : JobEvent(Job);

public sealed record JobFinished(string Job, JobReport Report) : JobEvent(Job);
