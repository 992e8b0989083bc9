using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Progress;

/// <summary>Something that happened in a job. Values only: text, JSON and dashboards are ways to print them.</summary>
public abstract record JobEvent(string Job);

public sealed record JobStarted(string Job, string Source, string Target, bool DryRun) : JobEvent(Job);

/// <param name="Pairs">Folder pairs of the job.</param>
/// <param name="Messages">Messages the source shows in them.</param>
public sealed record FoldersPlanned(string Job, int Pairs, long Messages) : JobEvent(Job);

/// <param name="ToCopy">Messages to be copied.</param>
/// <param name="ToCopyBytes">Their octets, as far as sizes are known.</param>
public sealed record FolderStarted(string Job, FolderPath Source, FolderPath Target, long ToCopy, long ToCopyBytes) : JobEvent(Job);

/// <summary>A window was committed.</summary>
public sealed record MessagesCopied(string Job, FolderPath Source, int Count, long Bytes) : JobEvent(Job);

/// <summary>A verification has read these of the source, or without one of the target, and held them against the other side.</summary>
public sealed record MessagesVerified(string Job, FolderPath Source, int Count) : JobEvent(Job);

public sealed record FolderFinished(string Job, FolderReport Folder) : JobEvent(Job);

/// <summary>A person should know, though nothing failed: adopted messages, a changed UIDVALIDITY, a keyword without room.</summary>
public sealed record NoteRaised(string Job, FolderPath? Folder, string Text) : JobEvent(Job);

public sealed record ProblemFound(string Job, Problem Problem) : JobEvent(Job);

/// <summary>Waiting before the next try.</summary>
public sealed record Waiting(string Job, Wait Wait) : JobEvent(Job);

/// <summary>The job can't begin yet because others have what it needs; how long it waits nobody knows. Any other event ends it.</summary>
public sealed record Queued(string Job, string Reason) : JobEvent(Job);

public sealed record JobFinished(string Job, JobReport Report) : JobEvent(Job);
